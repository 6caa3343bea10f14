/* What a worker's captions must be like: the options of captioner.h made into constraints, which
 * all its searches share (caption_search.h). */
#ifndef LIMN_MODELS_DECODING_H
#define LIMN_MODELS_DECODING_H

#include "models/captioner_model.h"

typedef struct limn_decoding limn_decoding; /* one worker's */

/* `options` have passed limn_options_check for `model`, which must outlive the result.
 * LIMN_E_ARG: a word that is not in the vocabulary, or words that contradict each other;
 * LIMN_E_NOMEM. */
limn_status limn_decoding_create(limn_decoding **out, const limn_model *model,
                                 const limn_options *options, limn_error *err);
void limn_decoding_destroy(limn_decoding **d); /* accepts NULL and *d == NULL; nulls it */

/* Steps of the longest search, with those that read a prompt. */
size_t limn_decoding_max_steps(const limn_decoding *d);
float limn_decoding_guidance(const limn_decoding *d); /* the options', or else the model's */
bool limn_decoding_has_prompt(const limn_decoding *d);
/* What the decoder reads before it writes [*n]: the start token, and the prompt's. */
const uint32_t *limn_decoding_prompt(const limn_decoding *d, size_t *n);

#endif

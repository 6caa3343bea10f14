/* How a state finds captions: the options of captioner.h made into constraints, a search and its
 * scratch memory, and a choice among what it finds. */
#ifndef LIMN_MODELS_DECODING_H
#define LIMN_MODELS_DECODING_H

#include "decoder/beam.h"
#include "models/captioner_model.h"

typedef struct limn_decoding limn_decoding; /* one worker's */

/* `options` have passed limn_options_check for `model`, which must outlive the result.
 * LIMN_E_ARG: a word that is not in the vocabulary, or words that contradict each other;
 * LIMN_E_NOMEM. */
limn_status limn_decoding_create(limn_decoding **out, const limn_model *model,
                                 const limn_options *options, limn_error *err);
void limn_decoding_destroy(limn_decoding **d); /* accepts NULL and *d == NULL; nulls it */

/* Rows of the widest step. */
size_t limn_decoding_max_rows(const limn_decoding *d);
/* Steps of the longest search, with those that read a prompt. */
size_t limn_decoding_max_steps(const limn_decoding *d);
/* What the decoder reads before it writes [*n]: the start token, and the prompt's. */
const uint32_t *limn_decoding_prompt(const limn_decoding *d, size_t *n);

/* Finds captions of the image whose name follows the last '/' of `name` (may be NULL). `step` as
 * for limn_beam_search; its first row is the start token however long the prompt is. Where
 * options.search is not limn's own, it must give logits, and gets the prompt's tokens too.
 * `coverage_of` is called with the same ctx where the options weigh coverage. *out [*n_out], 1 …
 * n_best, best first; valid until the next call. Allocates nothing. LIMN_E_ARG when no caption can
 * meet the options. */
limn_status limn_decoding_run(limn_decoding *d, const char *name, limn_beam_step_fn *step,
                              limn_coverage_fn *coverage_of, void *ctx, const limn_hypothesis **out,
                              size_t *n_out, limn_error *err);

#endif

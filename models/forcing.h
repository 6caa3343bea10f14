/* Teacher forcing: what a model predicts after each of the given tokens, over the whole
 * vocabulary, as published models' own programs do. For comparison with those programs. One per
 * thread. */
#ifndef LIMN_MODELS_FORCING_H
#define LIMN_MODELS_FORCING_H

#include "models/captioner.h"

typedef struct limn_forcing limn_forcing;

/* For up to max_ids tokens (0 counts as 1), at most the model's positions; of an ensemble, the
 * first model is used. `model` must outlive it. LIMN_E_LIMIT names too many; LIMN_E_NOMEM. */
limn_status limn_forcing_create(limn_forcing **out, const limn_model *model, size_t max_ids,
                                uint32_t n_threads, limn_error *err);
void limn_forcing_destroy(limn_forcing **f); /* accepts NULL and *f == NULL; nulls it */

/* The image that the tokens are of: input [input_bytes], as limn_state_load writes it. */
void limn_forcing_begin(limn_forcing *f, const uint8_t *input);

/* LIMN_E_ARG names a token that the vocabulary lacks, more than max_ids, none, or a first one that
 * is not the start token. */
limn_status limn_forcing_check(const limn_forcing *f, const uint32_t *ids, size_t n,
                               limn_error *err);
/* Reads the next token of those of this image; the first is the start token. Logits [n_tokens] of
 * what follows it belong to `f` and are valid until its next call. */
const float *limn_forcing_step(limn_forcing *f, uint32_t id);
/* The next tokens are of another caption of the same image. */
void limn_forcing_rewind(limn_forcing *f);
/* The log-probability of a token by the latest logits. */
float limn_forcing_logprob(const limn_forcing *f, uint32_t id);

#endif

/* Runs the networks of a model, or of all models of an ensemble, whose probabilities are averaged:
 * from input to log-probabilities of the next token. One per worker. */
#ifndef LIMN_MODELS_FORWARD_H
#define LIMN_MODELS_FORWARD_H

#include "common/base/arena.h"
#include "models/captioner_model.h"

typedef struct limn_forward limn_forward;

/* For up to max_rows hypotheses and max_steps steps. `model` must outlive it; `pool` (may be NULL)
 * too. `has_coverage`: limn_forward_coverage will be called. `guidance`: as in limn_options; unless
 * it is 1, each step is also taken with features of zero and the tag slots of no image instead of
 * the image's (Ho & Salimans 2022). LIMN_E_NOMEM. */
limn_status limn_forward_create(limn_forward **out, const limn_model *model, limn_pool *pool,
                                size_t max_rows, size_t max_steps, bool has_coverage,
                                float guidance, limn_error *err);
void limn_forward_destroy(limn_forward **f); /* accepts NULL and *f == NULL; nulls it */

/* Runs the encoders on input [limn_model_info.input_bytes]: the image's features. Allocates
 * nothing. */
void limn_forward_encode(limn_forward *f, const uint8_t *input);
/* Reads and sets the features of all models, one after the other [limn_model_n_features]; setting
 * them replaces encoding an image. */
void limn_forward_get_features(float *out, const limn_forward *f);
void limn_forward_set_features(limn_forward *f, const float *features);
/* Starts the captions of the image whose features are there. Allocates nothing. */
void limn_forward_begin(limn_forward *f);
/* A step of limn_beam_step_fn: log-probabilities over the tokens that a caption can hold. Allocates
 * nothing. */
void limn_forward_step(limn_forward *f, size_t n_rows, const uint32_t *parents,
                       const uint32_t *tokens, float *log_probs);

/* The same, but logits of all tokens, of the first model, without guidance. */
void limn_forward_logits(limn_forward *f, size_t n_rows, const uint32_t *parents,
                         const uint32_t *tokens, float *logits);

/* The encoder's features of the image [n_positions, dim], of the first model. */
const float *limn_forward_features(const limn_forward *f);

/* The decoder of the (first) model, for its attention. */
limn_decoder_state *limn_forward_decoder(limn_forward *f);
/* As limn_coverage_fn wants it, of the first model, its layers and heads averaged. */
double limn_forward_coverage(const limn_forward *f, size_t row);

#endif

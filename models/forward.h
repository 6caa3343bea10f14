/* Runs the networks of a model, or of all models of an ensemble, whose probabilities are averaged:
 * from input to log-probabilities of the next token. One per worker.
 *
 * Each image that is decoded has a lane: the decoders' memory for it. The lanes' rows go through
 * the decoders together, so that their weights are read once; what a lane gets does not depend on
 * the others. */
#ifndef LIMN_MODELS_FORWARD_H
#define LIMN_MODELS_FORWARD_H

#include "common/base/arena.h"
#include "decoder/search_rows.h"
#include "models/captioner_model.h"

enum { LIMN_MAX_LANES = LIMN_MAX_TOGETHER };

typedef struct limn_forward limn_forward;

typedef struct limn_forward_settings {
    size_t max_rows, max_steps; /* of each lane */
    bool has_coverage;          /* limn_forward_coverage will be called */
    float guidance; /* as in limn_options; unless it is 1, each step is also taken with features of
                     * zero and the tag slots of no image instead of the image's (Ho & Salimans
                     * 2022) */
} limn_forward_settings;

/* With one lane, number 0. `model` and `pool` (may be NULL) must outlive it. LIMN_E_NOMEM. */
limn_status limn_forward_create(limn_forward **out, const limn_model *model, limn_pool *pool,
                                const limn_forward_settings *settings, limn_error *err);
void limn_forward_destroy(limn_forward **f); /* accepts NULL and *f == NULL; nulls it */
/* Adds the next lane, at most LIMN_MAX_LANES. LIMN_E_NOMEM leaves those that are there. */
limn_status limn_forward_add_lane(limn_forward *f, limn_error *err);
size_t limn_forward_n_lanes(const limn_forward *f);
/* Bytes that each lane after the first takes. */
size_t limn_forward_lane_bytes(const limn_model *model, const limn_forward_settings *settings);

/* Runs the encoders on input [limn_model_info.input_bytes]: the image's features. Allocates
 * nothing. */
void limn_forward_encode(limn_forward *f, const uint8_t *input);
/* Reads and sets the features of all models, one after the other [limn_model_n_features]; setting
 * them replaces encoding an image. */
void limn_forward_get_features(float *out, const limn_forward *f);
void limn_forward_set_features(limn_forward *f, const float *features);
/* The encoder's features of the image [n_positions, dim], of the first model. */
const float *limn_forward_features(const limn_forward *f);

/* Starts the captions of the image whose features are there, in `lane`. Allocates nothing. */
void limn_forward_begin(limn_forward *f, size_t lane);

/* Rows of a lane, in a step of several. */
typedef struct limn_forward_turn {
    size_t lane;
    limn_search_rows rows;
} limn_forward_turn;

/* A step of turns [n_turns], at most one a lane: log-probabilities [rows of all turns, n_tokens]
 * over the tokens that a caption can hold, in the order of the turns. They may be changed, and are
 * valid until the next step. Allocates nothing. */
float *limn_forward_step(limn_forward *f, const limn_forward_turn *turns, size_t n_turns);
/* The same, but logits of all tokens, of the first model, without guidance. */
float *limn_forward_logits(limn_forward *f, const limn_forward_turn *turns, size_t n_turns);

/* The decoder of the (first) model, for its attention. */
limn_decoder_state *limn_forward_decoder(limn_forward *f, size_t lane);
/* As limn_coverage_fn wants it, of the first model, its layers and heads averaged. */
double limn_forward_coverage(const limn_forward *f, size_t lane, size_t row);

#endif

/* Training the encoder: forward and backward through EfficientNet-Lite with batch norm folded (so
 * it is frozen: its statistics are part of the weights).
 *
 * Stages: 0 is the stem, 1 … n_blocks the blocks, n_blocks + 1 the head. Those from `first_stage`
 * on are trained. The stages below know nothing of the training: their weights are no parameters,
 * and what comes in is their output, from a cache or from limn_encoder_run_stages.
 *
 * Only the stages' outputs are kept from the forward pass (4 MB a picture for all of Lite0 at 224
 * pixels); what is inside a block is computed again in the backward pass, picture by picture, while
 * it is in the cache.
 *
 * Features are the bits that limn_encoder_run gives with the same weights. Results depend on
 * neither the number of threads nor, for features, the other pictures. */
#ifndef LIMN_ENCODER_ENCODER_GRAD_H
#define LIMN_ENCODER_ENCODER_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "common/io/safetensors.h"
#include "encoder/efficientnet_lite_shape.h"
#include "encoder/encoder.h"

/* Adds the tensors of the trained stages (models/FORMAT.md) to `params`, one after another, to
 * learn at `rate` times the schedule's. LIMN_E_NOMEM. */
limn_status limn_encoder_params_add(limn_params *params, const limn_efficientnet_lite_shape *shape,
                                    size_t first_stage, float rate, limn_error *err);
/* Values of all tensors named "encoder.…" in `params` from a model file, as limn_encoder_open. */
limn_status limn_encoder_params_read(limn_params *params, const limn_safetensors *file,
                                     limn_error *err);

typedef struct limn_encoder_trainer limn_encoder_trainer; /* activations of one batch */

typedef struct limn_encoder_trainer_settings {
    limn_efficientnet_lite_shape shape;
    limn_encoder_config config;
    size_t first_stage;  /* 0 … n_blocks + 1 */
    size_t max_pictures; /* of one batch, >= 1 */
} limn_encoder_trainer_settings;

/* `params` (with memory, and laid out by limn_encoder_params_add with the same first stage) and
 * `pool` (may be NULL) are borrowed until the trainer is gone. LIMN_E_NOMEM; LIMN_E_ARG (params
 * lack a tensor, or have it elsewhere). */
limn_status limn_encoder_trainer_create(limn_encoder_trainer **out,
                                        const limn_encoder_trainer_settings *settings,
                                        limn_params *params, limn_pool *pool, limn_cpu_level level,
                                        limn_error *err);
void limn_encoder_trainer_destroy(limn_encoder_trainer **t); /* accepts NULL and *t == NULL */
/* All that a trainer takes beside the parameters. */
size_t limn_encoder_trainer_bytes(const limn_encoder_trainer_settings *settings, size_t n_threads);

/* The features [n_pictures, n_positions, n_head], valid until the next call; 1 <= n_pictures <=
 * max_pictures. The input stays as it is until limn_encoder_trainer_backward is done: pixels
 * [n_pictures, input_size, input_size, 3] if first_stage is 0, else the maps of the stage before it
 * [n_pictures, side, side, n_channels] (limn_efficientnet_lite_map). */
const float *limn_encoder_trainer_forward(limn_encoder_trainer *t, const uint8_t *pixels,
                                          size_t n_pictures);
const float *limn_encoder_trainer_forward_cut(limn_encoder_trainer *t, const float *maps,
                                              size_t n_pictures);
/* After a forward pass, with the same parameters: adds to params->gradients, from
 * feature_gradients (as features). */
void limn_encoder_trainer_backward(limn_encoder_trainer *t, const float *feature_gradients);

#endif

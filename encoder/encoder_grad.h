/* Training the encoder: forward and backward through EfficientNet-Lite with batch norm folded (so
 * it is frozen: its statistics are part of the weights).
 *
 * Stages: 0 is the stem, 1 … n_blocks the blocks, n_blocks + 1 the head. Those from `first_stage`
 * on are trained; the others keep their weights (rate 0) and cost no backward pass. Results do
 * not depend on the number of threads. */
#ifndef LIMN_ENCODER_ENCODER_GRAD_H
#define LIMN_ENCODER_ENCODER_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "common/io/safetensors.h"
#include "encoder/efficientnet_lite_shape.h"
#include "encoder/encoder.h"

/* Adds all encoder tensors of models/FORMAT.md to `params`; those of trained stages learn at `rate`
 * times the schedule's, the others at 0. LIMN_E_NOMEM. */
limn_status limn_encoder_params_add(limn_params *params, const limn_efficientnet_lite_shape *shape,
                                    size_t first_stage, float rate, limn_error *err);
/* Values of all tensors named "encoder.…" in `params` from a model file, as limn_encoder_open. */
limn_status limn_encoder_params_read(limn_params *params, const limn_safetensors *file,
                                     limn_error *err);

typedef struct limn_encoder_trainer limn_encoder_trainer; /* activations of one batch */

/* For up to max_pictures of config->input_size. `params` (with memory) and `pool` (may be NULL) are
 * borrowed until the trainer is gone. LIMN_E_NOMEM; LIMN_E_ARG (params lack a tensor). */
limn_status limn_encoder_trainer_create(limn_encoder_trainer **out,
                                        const limn_efficientnet_lite_shape *shape,
                                        const limn_encoder_config *config, size_t first_stage,
                                        limn_params *params, size_t max_pictures, limn_pool *pool,
                                        limn_cpu_level level, limn_error *err);
void limn_encoder_trainer_destroy(limn_encoder_trainer **t); /* accepts NULL and *t == NULL */
size_t limn_encoder_trainer_bytes(const limn_efficientnet_lite_shape *shape,
                                  const limn_encoder_config *config, size_t max_pictures);

/* features [n_pictures, n_positions, n_head], valid until the next call, of pixels [n_pictures,
 * input_size, input_size, 3]; 1 <= n_pictures <= max_pictures. */
const float *limn_encoder_trainer_forward(limn_encoder_trainer *t, const uint8_t *pixels,
                                          size_t n_pictures);
/* After a forward pass: adds to params->gradients, from feature_gradients (as features). */
void limn_encoder_trainer_backward(limn_encoder_trainer *t, const float *feature_gradients);

#endif

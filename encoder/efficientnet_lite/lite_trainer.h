/* Training EfficientNet-Lite: implements encoder_training.h for a network of any shape.
 *
 * Stages: 0 is the stem, 1 … n_blocks the blocks, n_blocks + 1 the head. Only the stages' outputs
 * are kept from the forward pass (4 MB an image for all of Lite0 at 224 pixels); what is inside a
 * block is computed again in the backward pass, image by image, while it is in the cache. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_LITE_TRAINER_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_LITE_TRAINER_H

#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"
#include "encoder/network_training.h"

extern const limn_encoder_training limn_efficientnet_lite_training;

typedef struct limn_lite_trainer limn_lite_trainer; /* activations of one batch */

typedef struct limn_lite_trainer_settings {
    limn_efficientnet_lite_shape shape;
    limn_input_spec input;
    size_t first_stage; /* 0 … n_blocks + 1 */
    size_t max_images;  /* of one batch, >= 1 */
} limn_lite_trainer_settings;

/* Adds the tensors of the stages from `first_stage` on (limn_encoder_params_add). */
limn_status limn_lite_params_add(limn_params *params, const limn_efficientnet_lite_shape *shape,
                                 size_t first_stage, float rate, limn_error *err);

/* As limn_encoder_trainer_create and the functions after it. */
limn_status limn_lite_trainer_create(limn_lite_trainer **out,
                                     const limn_lite_trainer_settings *settings,
                                     limn_params *params, limn_pool *pool, limn_cpu_level level,
                                     limn_error *err);
void limn_lite_trainer_destroy(limn_lite_trainer **t); /* accepts NULL and *t == NULL */
size_t limn_lite_trainer_bytes(const limn_lite_trainer_settings *settings, size_t n_threads);
const float *limn_lite_trainer_forward(limn_lite_trainer *t, const uint8_t *pixels,
                                       size_t n_images);
const float *limn_lite_trainer_forward_cut(limn_lite_trainer *t, const float *maps,
                                           size_t n_images);
void limn_lite_trainer_backward(limn_lite_trainer *t, const float *feature_gradients);

#endif

/* Training an encoder: forward and backward through the upper stages of a network, for the families
 * that can (encoder_training.c). Batch norm is folded, so it is frozen: its statistics are part of
 * the weights.
 *
 * Stages are those of encoder.h. Those from `first_stage` on are trained. The stages below are
 * frozen: the input of training is their output, from a cache or from limn_encoder_run_stages.
 *
 * Features are bit-identical to those of limn_encoder_run with the same weights. Results depend on
 * neither the number of threads nor, for features, the other images. */
#ifndef LIMN_ENCODER_ENCODER_TRAINING_H
#define LIMN_ENCODER_ENCODER_TRAINING_H

#include "common/base/params.h"
#include "encoder/encoder.h"
#include "encoder/network_training.h"

/* LIMN_E_UNSUPPORTED for a network whose features can be trained on, but which can't be trained
 * itself (the text names those that can), and for an unknown one. */
limn_status limn_encoder_training_check(const limn_encoder_config *config, limn_error *err);

/* Adds the tensors of the trained stages to `params`, one after another, to learn at `rate` times
 * the schedule's. LIMN_E_NOMEM. */
limn_status limn_encoder_params_add(limn_params *params, const limn_encoder_config *config,
                                    size_t first_stage, float rate, limn_error *err);

typedef struct limn_encoder_trainer limn_encoder_trainer; /* activations of one batch */

/* `params` (with memory, and laid out by limn_encoder_params_add with the same first stage) and
 * `pool` (may be NULL) are borrowed until the trainer is gone. LIMN_E_NOMEM; LIMN_E_ARG (params
 * lack a tensor, or have it elsewhere); errors of limn_encoder_training_check. */
limn_status limn_encoder_trainer_create(limn_encoder_trainer **out,
                                        const limn_encoder_trainer_settings *settings,
                                        limn_params *params, limn_pool *pool, limn_cpu_level level,
                                        limn_error *err);
void limn_encoder_trainer_destroy(limn_encoder_trainer **t); /* accepts NULL and *t == NULL */
/* All memory that a trainer takes besides the parameters. */
size_t limn_encoder_trainer_bytes(const limn_encoder_trainer_settings *settings, size_t n_threads);

/* The features [n_images, n_positions, dim], valid until the next call; 1 <= n_images <=
 * max_images. The input must not change until limn_encoder_trainer_backward is done: pixels
 * [n_images, height, width, 3] if first_stage is 0, else what the stage before it gives [n_images,
 * limn_encoder_stage_shape]. */
const float *limn_encoder_trainer_forward(limn_encoder_trainer *t, const uint8_t *pixels,
                                          size_t n_images);
const float *limn_encoder_trainer_forward_cut(limn_encoder_trainer *t, const float *maps,
                                              size_t n_images);
/* After a forward pass, with the same parameters: adds to params->gradients, from
 * feature_gradients (as features). */
void limn_encoder_trainer_backward(limn_encoder_trainer *t, const float *feature_gradients);

#endif

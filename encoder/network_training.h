/* What a family of networks implements for encoder_training.h: one table of functions. */
#ifndef LIMN_ENCODER_NETWORK_TRAINING_H
#define LIMN_ENCODER_NETWORK_TRAINING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/kernels/cpu_level.h"
#include "encoder/network.h"

typedef struct limn_encoder_trainer_settings {
    limn_encoder_config config;
    size_t first_stage; /* 0 … limn_encoder_count_stages - 1 */
    size_t max_images;  /* of one batch, >= 1 */
} limn_encoder_trainer_settings;

/* Every function is what the one of its name in encoder_training.h says, for a trainer of the
 * family's own type. */
typedef struct limn_encoder_training {
    limn_status (*create)(void **out, const limn_encoder_trainer_settings *settings,
                          limn_params *params, limn_pool *pool, limn_cpu_level level,
                          limn_error *err);
    void (*destroy)(void *trainer);
    size_t (*bytes)(const limn_encoder_trainer_settings *settings, size_t n_threads);
    const float *(*forward)(void *trainer, const uint8_t *pixels, size_t n_images);
    const float *(*forward_cut)(void *trainer, const float *maps, size_t n_images);
    void (*backward)(void *trainer, const float *feature_gradients);
} limn_encoder_training;

#endif

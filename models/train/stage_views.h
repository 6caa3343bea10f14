/* What the steps of a stage are computed from: features of the images, or activations where the
 * trained part of the encoder begins, in their views, from caches on disk. */
#ifndef LIMN_MODELS_TRAIN_STAGE_VIEWS_H
#define LIMN_MODELS_TRAIN_STAGE_VIEWS_H

#include "common/base/pool.h"
#include "models/train/batches.h"
#include "models/train/view_cache.h"
#include "models/train/training_data.h"

enum { LIMN_STAGE_N_SOURCES = 2 }; /* paired and unpaired images */

typedef struct limn_stage_views {
    limn_view_cache views[LIMN_STAGE_N_SOURCES];
    size_t n_sources;
    size_t n_positions, dim;    /* of one image */
    uint32_t *images, *numbers; /* [n_images] of a batch: images and views */
    float *values;              /* [n_images, n_positions, dim] */
    limn_pool *pool;
} limn_stage_views;

typedef struct limn_stage_views_settings {
    const limn_model_file *base; /* whose encoder it is */
    const char *features_record; /* of the given features (view_cache.h) */
    const char *cache;           /* folder */
    size_t first_stage;          /* as in view_cache.h */
    size_t n_views, n_images;    /* of each image; of a batch */
    bool has_unpaired;
    limn_pool *pool;
    const limn_training_listener *listener;
} limn_stage_views_settings;

/* Opens the caches, computing what is missing. Errors of view_cache.h. */
limn_status limn_stage_views_open(limn_stage_views *out, const limn_training_data *data,
                                  const limn_stage_views_settings *settings, limn_error *err);
void limn_stage_views_close(limn_stage_views *inputs); /* accepts a zeroed one */

/* *values [batch->n_images, n_positions, dim]; valid until the next call. Errors of
 * limn_view_cache_gather. */
limn_status limn_stage_views_fill(const float **values, limn_stage_views *inputs,
                                  const limn_batch *batch, limn_error *err);

#endif

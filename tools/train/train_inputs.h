/* What the steps of a stage are computed from: features of the pictures, or activations where the
 * trained part of the encoder begins, in their views, from caches on disk. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_INPUTS_H
#define LIMN_TOOLS_TRAIN_TRAIN_INPUTS_H

#include "common/base/pool.h"
#include "models/train/batches.h"
#include "models/train/view_cache.h"
#include "tools/train/train_data.h"

enum { LIMN_TRAIN_N_SOURCES = 2 }; /* paired and unpaired pictures */

typedef struct limn_train_inputs {
    limn_view_cache views[LIMN_TRAIN_N_SOURCES];
    size_t n_sources;
    size_t n_positions, dim;      /* of one picture */
    uint32_t *pictures, *numbers; /* [n_pictures] of a batch: pictures and views */
    float *values;                /* [n_pictures, n_positions, dim] */
    limn_pool *pool;
} limn_train_inputs;

typedef struct limn_train_inputs_settings {
    const limn_model_file *base; /* whose encoder it is */
    const char *cache;           /* folder */
    size_t first_stage;          /* as in view_cache.h */
    size_t n_views, n_pictures;  /* of each picture; of a batch */
    bool has_unpaired;
    limn_pool *pool;
} limn_train_inputs_settings;

/* Opens the caches, computing what is not there. Errors of view_cache.h. */
limn_status limn_train_inputs_open(limn_train_inputs *out, const limn_train_data *data,
                                   const limn_train_inputs_settings *settings, limn_error *err);
void limn_train_inputs_close(limn_train_inputs *inputs); /* accepts a zeroed one */

/* *values [batch->n_pictures, n_positions, dim]; valid until the next call. Errors of
 * limn_view_cache_gather. */
limn_status limn_train_inputs_fill(const float **values, limn_train_inputs *inputs,
                                   const limn_batch *batch, limn_error *err);

#endif

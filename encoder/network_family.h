/* What a family of networks implements for encoder.h: one table of functions. A new family is a
 * folder with such a table, and a row in encoder.c; if it can be trained, also a row in
 * encoder_training.c.
 *
 * A network is a block of memory of the family's own type: planned from a configuration, its
 * weights loaded by its table of tensors, immutable from then on. All memory of a run is in its
 * scratch. */
#ifndef LIMN_ENCODER_NETWORK_FAMILY_H
#define LIMN_ENCODER_NETWORK_FAMILY_H

#include "common/base/arena.h"
#include "common/base/pool.h"
#include "common/base/status.h"
#include "common/kernels/kernels.h"
#include "common/weights/tensor_table.h"
#include "encoder/network.h"

/* One run: kernels, pool (NULL: this thread alone) and tap (NULL: none, and only with no pool). */
typedef struct limn_encoder_job {
    const limn_kernels *kernels;
    limn_pool *pool;
    const uint8_t *pixels; /* [height, width, 3] */
    size_t last_stage;     /* to run */
    float *map;            /* that of last_stage: features [n_positions, dim] after all stages */
    limn_encoder_tap_fn *tap;
    void *tap_ctx;
} limn_encoder_job;

typedef struct limn_encoder_family {
    const char *const *names; /* the networks of the family, ended by NULL */
    bool needs_square;        /* takes square inputs only */
    /* What limn_encoder_check checks besides names and sides; NULL: nothing. */
    limn_status (*check)(const limn_encoder_config *config, limn_error *err);
    /* Functions of a configuration that passed the check. */
    size_t (*n_stages)(const limn_encoder_config *config);
    limn_feature_shape (*shape)(const limn_encoder_config *config, size_t stage);
    void (*tensors)(limn_tensor_table *table, const limn_encoder_config *config);
    /* A network: `size` zeroed bytes that `plan` fills, all but what the tensors' offsets name. */
    size_t size;
    void (*plan)(void *net, const limn_encoder_config *config);
    /* Takes all scratch memory from `arena`, its own description included; NULL while counting. */
    void *(*scratch_take)(const void *net, limn_arena *arena);
    void (*run)(const void *net, void *scratch, const limn_encoder_job *job);
} limn_encoder_family;

/* NULL when no family has a network of that name. */
const limn_encoder_family *limn_encoder_family_find(const char *name);

#endif

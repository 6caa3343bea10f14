/* What a family of networks gives to stand behind encoder.h: one table of functions. A network is
 * immutable once it is open; all memory of a run is in its scratch. */
#ifndef LIMN_ENCODER_ENCODER_FAMILY_H
#define LIMN_ENCODER_ENCODER_FAMILY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "encoder/encoder.h"

/* One run: kernels, pool (NULL: this thread alone) and tap (NULL: none, and only with no pool). */
typedef struct limn_encoder_job {
    const limn_kernels *kernels;
    limn_pool *pool;
    const uint8_t *pixels; /* [input_size, input_size, 3] */
    size_t last_stage;     /* to run */
    float *map;            /* that of last_stage: features [n_positions, dim] after all stages */
    limn_encoder_tap_fn *tap;
    void *tap_ctx;
} limn_encoder_job;

typedef struct limn_encoder_family {
    bool (*has)(const char *name); /* whether the family knows this `family` of a configuration */
    /* Builds a network for limn_encoder_open, whose errors these are. */
    limn_status (*open)(void **out, const limn_safetensors *file, const limn_encoder_config *config,
                        limn_error *err);
    void (*close)(void *net); /* accepts NULL */
    size_t (*n_stages)(const void *net);
    limn_encoder_map (*map)(const void *net, size_t stage);
    size_t (*weight_bytes)(const void *net);
    /* Takes all scratch memory from `arena`, its own description included; NULL while counting. */
    void *(*scratch_take)(const void *net, limn_arena *arena);
    void (*run)(const void *net, void *scratch, const limn_encoder_job *job);
} limn_encoder_family;

#endif

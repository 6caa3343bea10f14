/* The parameters of a model in training: named f32 tensors in one block of memory, and a second
 * block of the same layout for their gradients. One block makes the optimizer, the
 * checkpoint and the moving average one loop each. */
#ifndef LIMN_COMMON_BASE_PARAMS_H
#define LIMN_COMMON_BASE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

#define LIMN_PARAM_MAX_DIMS 4
#define LIMN_PARAM_NAME_SIZE 96

typedef struct limn_param {
    char name[LIMN_PARAM_NAME_SIZE]; /* as in the model file */
    size_t n_dims;
    size_t shape[LIMN_PARAM_MAX_DIMS]; /* row-major */
    size_t offset, n;                  /* in floats */
    bool decays; /* weight decay applies: matrices, not norms, biases and positions */
    float rate;  /* learning rate relative to the schedule's; 1 when added */
} limn_param;

typedef struct limn_params {
    limn_param *items; /* [n_items] in the order they were added */
    size_t n_items, capacity;
    size_t n_floats;  /* of all, each rounded up to a multiple of 16 */
    float *values;    /* [n_floats], LIMN_ALIGNMENT; NULL until limn_params_allocate */
    float *gradients; /* [n_floats] */
} limn_params;

/* Adds a tensor. `params` starts zeroed. LIMN_E_NOMEM; LIMN_E_ARG for a name too long, and after
 * limn_params_allocate. */
limn_status limn_params_add(limn_params *params, const char *name, size_t n_dims,
                            const size_t *shape, bool decays, limn_error *err);
/* Takes the memory of values and gradients, zeroed. LIMN_E_NOMEM. */
limn_status limn_params_allocate(limn_params *params, limn_error *err);
void limn_params_finish(limn_params *params); /* accepts a zeroed struct */

const limn_param *limn_params_find(const limn_params *params, const char *name); /* or NULL */
void limn_params_clear_gradients(limn_params *params);

#endif

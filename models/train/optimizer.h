/* What all optimizers have in common. The table of optimizers is in optimizer_kinds.c; a checkpoint
 * names its own.
 *
 * To add one: a limn_optimizer_kind in a file of its own, and a row there. Every kind keeps an
 * exponential moving average of the weights, from which models are exported. */
#ifndef LIMN_MODELS_TRAIN_OPTIMIZER_H
#define LIMN_MODELS_TRAIN_OPTIMIZER_H

#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"

#define LIMN_OPTIMIZER_MAX_STATES 4

typedef struct limn_optimizer_kind limn_optimizer_kind;

typedef struct limn_optimizer_settings {
    const limn_optimizer_kind *kind;
    float beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8 */
    float weight_decay;          /* of parameters with `decays` */
    float clip_norm;             /* largest global gradient norm; 0 = no clipping */
    float average_decay;         /* of the moving average; 0 = average is the weights themselves */
} limn_optimizer_settings;

/* An optimizer's memory: blocks laid out as params->values. */
typedef struct limn_optimizer {
    const limn_optimizer_kind *kind;
    float *states[LIMN_OPTIMIZER_MAX_STATES]; /* [kind->n_states], each [n_floats] */
    float *average;                           /* [n_floats] moving average of the weights */
    uint64_t n_steps;                         /* done so far */
} limn_optimizer;

struct limn_optimizer_kind {
    const char *name; /* in checkpoints */
    size_t n_states;
    const char *state_names[LIMN_OPTIMIZER_MAX_STATES]; /* of a parameter's tensors there */
    /* limn_optimizer_step, except for counting it. */
    void (*step)(const limn_optimizer *o, limn_params *params,
                 const limn_optimizer_settings *settings, float learning_rate, double norm,
                 limn_pool *pool);
};

/* States zero, average = params->values. LIMN_E_NOMEM. */
limn_status limn_optimizer_init(limn_optimizer *o, const limn_optimizer_kind *kind,
                                const limn_params *params, limn_error *err);
/* Resets the states and the average to those of new parameter values. */
void limn_optimizer_restart(limn_optimizer *o, const limn_params *params);
void limn_optimizer_finish(limn_optimizer *o); /* accepts a zeroed struct */

/* Global L2 norm of the gradients, summed in double in a fixed order. */
double limn_gradient_norm(const limn_params *params, limn_pool *pool);

/* One step with the current gradients (which are not cleared). `norm` is limn_gradient_norm's,
 * which must be finite. The average's decay is at most (1 + step) / (10 + step), so that it forgets
 * the initial weights. Results don't depend on the number of threads. */
void limn_optimizer_step(limn_optimizer *o, limn_params *params,
                         const limn_optimizer_settings *settings, float learning_rate, double norm,
                         limn_pool *pool);

#endif

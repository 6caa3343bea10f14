/* AdamW with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), clipping of the
 * gradient by its global norm, and an exponential moving average of the weights. The formulas are
 * those of torch.optim.AdamW and torch.nn.utils.clip_grad_norm_. */
#ifndef LIMN_MODELS_TRAIN_ADAMW_H
#define LIMN_MODELS_TRAIN_ADAMW_H

#include <stdint.h>

#include "common/base/params.h"
#include "common/base/pool.h"

typedef struct limn_adamw_settings {
    float beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8 */
    float weight_decay;          /* of parameters with `decays` */
    float clip_norm;             /* largest global gradient norm; 0 = no clipping */
    float average_decay;         /* of the moving average; 0 = average is the weights themselves */
} limn_adamw_settings;

limn_adamw_settings limn_adamw_settings_default(void);

/* The optimizer's memory: three blocks laid out as params->values. */
typedef struct limn_adamw {
    float *m, *v;     /* [n_floats] first and second moments */
    float *average;   /* [n_floats] moving average of the weights */
    uint64_t n_steps; /* done so far */
} limn_adamw;

/* Moments zero, average = params->values. LIMN_E_NOMEM. */
limn_status limn_adamw_init(limn_adamw *a, const limn_params *params, limn_error *err);
void limn_adamw_finish(limn_adamw *a); /* accepts a zeroed struct */

/* Global L2 norm of the gradients, summed in double in a fixed order. */
double limn_gradient_norm(const limn_params *params, limn_pool *pool);

/* One step with the gradients as they are (they are not cleared). `norm` is limn_gradient_norm's,
 * which must be finite. The average's decay is at most (1 + step) / (10 + step), so that it
 * forgets the initial weights. Results don't depend on the number of threads. */
void limn_adamw_step(limn_adamw *a, limn_params *params, const limn_adamw_settings *settings,
                     float learning_rate, double norm, limn_pool *pool);

#endif

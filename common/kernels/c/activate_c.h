/* What a product does to a sum before it is written. */
#ifndef LIMN_COMMON_KERNELS_C_ACTIVATE_C_H
#define LIMN_COMMON_KERNELS_C_ACTIVATE_C_H

#include "common/kernels/c/math_c.h"
#include "common/kernels/kernels.h"

static inline float limn_activate_c(limn_activation a, float v)
{
    switch (a) {
    case LIMN_ACT_RELU6: v = v > 0.0f ? v : 0.0f; return v < 6.0f ? v : 6.0f;
    case LIMN_ACT_RELU: return v > 0.0f ? v : 0.0f;
    case LIMN_ACT_GELU: return limn_geluf(v);
    case LIMN_ACT_GELU_TANH: return limn_gelu_tanhf(v);
    case LIMN_ACT_QUICK_GELU: return limn_quick_geluf(v);
    case LIMN_ACT_RELU_OF_SUM:
    case LIMN_ACT_NONE:
    case LIMN_N_ACTIVATIONS: break;
    }
    return v;
}

/* Writes `acc`, the sum for one row and output, after activation and residual. */
static inline void limn_store_c(const limn_linear_job *job, size_t row, size_t output, float acc)
{
    const size_t at = limn_y_offset(job, row) + output;
    acc = limn_activate_c(job->activation, acc);
    if (job->residual) acc += job->residual[at];
    if (job->activation == LIMN_ACT_RELU_OF_SUM) acc = limn_activate_c(LIMN_ACT_RELU, acc);
    job->y[at] = acc;
}

#endif

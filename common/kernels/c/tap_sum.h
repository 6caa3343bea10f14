/* The sum of an output of a depthwise convolution (kernels.h) with a fused multiply-add that the
 * caller chooses. */
#ifndef LIMN_COMMON_KERNELS_C_TAP_SUM_H
#define LIMN_COMMON_KERNELS_C_TAP_SUM_H

#include "common/kernels/kernels.h"

static inline float limn_tap_sum(const limn_depthwise_job *job, size_t column, size_t channel,
                                 float (*multiply_add)(float, float, float))
{
    float acc = job->bias[channel];
    for (size_t ky = 0; ky < job->size; ky++) {
        if (!job->rows[ky]) continue;
        const float *x = job->rows[ky] + column * job->stride * job->x_stride + channel;
        const float *w = job->w + ky * job->size * job->w_stride + channel;
        for (size_t kx = 0; kx < job->size; kx++)
            acc = multiply_add(x[kx * job->x_stride], w[kx * job->w_stride], acc);
    }
    return acc;
}

#endif

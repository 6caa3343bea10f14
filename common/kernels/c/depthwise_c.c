#include <math.h>

#include "common/kernels/c/tap_sum.h"
#include "common/kernels/codes.h"
#include "common/kernels/kernel_levels.h"

static uint8_t code_of(float v)
{
    return (uint8_t)(LIMN_CODES_ZERO_OF_RELU6 + (int)nearbyintf(v * LIMN_CODES_PER_UNIT_OF_RELU6));
}

void limn_depthwise_c(const limn_depthwise_job *job)
{
    for (size_t j = 0; j < job->n_columns; j++) {
        for (size_t c = 0; c < job->n_channels; c++) {
            float v = limn_tap_sum(job, j, c, fmaf);
            if (job->activation != LIMN_ACT_NONE) v = v > 0.0f ? v : 0.0f;
            if (job->activation == LIMN_ACT_RELU6) v = v < 6.0f ? v : 6.0f;
            if (job->codes)
                ((uint8_t *)job->codes)[j * job->y_stride + c] = code_of(v);
            else
                job->y[j * job->y_stride + c] = v;
        }
    }
}

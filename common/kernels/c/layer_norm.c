/* Layer norm. Compiled once for each CPU level (level_name.h). */
#include "common/kernels/kernel_levels.h"
#include "common/kernels/c/lanes.h"
#include "common/kernels/c/level_name.h"

void LIMN_LEVEL(limn_layer_norm)(float *y, const float *x, const float *gamma, const float *beta,
                                 float eps, size_t n_rows, size_t dim)
{
    for (size_t r = 0; r < n_rows; r++, x += dim, y += dim) {
        const float mean = limn_lane_sum(x, dim) / (float)dim;
        const float variance = limn_lane_squares(x, mean, dim) / (float)dim;
        const float scale = 1.0f / sqrtf(variance + eps);
        for (size_t i = 0; i < dim; i++) y[i] = limn_fmaf((x[i] - mean) * scale, gamma[i], beta[i]);
    }
}

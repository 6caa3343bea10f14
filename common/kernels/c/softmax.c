/* Softmax and log-sum-exp. Compiled as plain C and for each CPU level that has fused multiply-adds
 * (level_name.h); x86/softmax_sse41.c is for those without. */
#include "common/kernels/kernel_levels.h"
#include "common/kernels/c/lanes.h"
#include "common/kernels/c/level_name.h"
#include "common/kernels/c/math_c.h"

void LIMN_LEVEL(limn_softmax)(float *x, size_t n_rows, size_t n, size_t stride)
{
    for (size_t r = 0; r < n_rows; r++, x += stride) {
        const float max = limn_row_max(x, n);
        for (size_t i = 0; i < n; i++) x[i] = limn_expf(x[i] - max);
        const float scale = 1.0f / limn_lane_sum(x, n);
        for (size_t i = 0; i < n; i++) x[i] *= scale;
    }
}

float LIMN_LEVEL(limn_log_sum_exp)(const float *x, size_t n)
{
    const float max = limn_row_max(x, n);
    float lane[LIMN_LANES] = { 0 };
    size_t i = 0;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (int j = 0; j < LIMN_LANES; j++) lane[j] += limn_expf(x[i + j] - max);
    for (int j = 0; i < n; i++, j++) lane[j] += limn_expf(x[i] - max);
    return max + limn_logf(limn_fold(lane));
}

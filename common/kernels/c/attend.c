/* Attention of one query. Compiled as plain C and for each CPU level that has fused multiply-adds
 * (level_name.h); x86/attend_sse41.c is for those without. */
#include "common/kernels/c/lanes.h"
#include "common/kernels/c/level_name.h"
#include "common/kernels/kernel_levels.h"

void LIMN_LEVEL(limn_attend)(float *y, float *weights, const float *q, const float *const *k,
                             const float *const *v, size_t n, size_t dim, float scale)
{
    for (size_t p = 0; p < n; p++) weights[p] = scale * limn_lane_dot(q, k[p], dim);
    LIMN_LEVEL(limn_softmax)(weights, 1, n, n);
    for (size_t i = 0; i < dim; i++) y[i] = 0.0f;
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < dim; i++) y[i] = limn_fmaf(weights[p], v[p][i], y[i]);
}

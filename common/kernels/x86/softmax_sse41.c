/* Softmax and log-sum-exp (c/softmax.c) with SSE4.1: the same operations in the same order. */
#include <smmintrin.h>

#include "common/kernels/c/lanes.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/math_sse41.h"

enum { VECTORS = LIMN_LANES / 4 };

/* limn_row_max: _mm_max_ps(a, b) is a > b ? a : b. */
static float row_max(const float *x, size_t n)
{
    __m128 max[VECTORS];
    float lane[LIMN_LANES];
    size_t i = 0;
    for (size_t v = 0; v < VECTORS; v++) max[v] = _mm_set1_ps(x[0]);
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (size_t v = 0; v < VECTORS; v++)
            max[v] = _mm_max_ps(_mm_loadu_ps(x + i + 4 * v), max[v]);
    for (size_t v = 0; v < VECTORS; v++) _mm_storeu_ps(lane + 4 * v, max[v]);
    return limn_fold_max(lane, x + i, n - i);
}

void limn_softmax_sse41(float *x, size_t n_rows, size_t n, size_t stride)
{
    for (size_t r = 0; r < n_rows; r++, x += stride) {
        const float max = row_max(x, n);
        size_t i = 0;
        for (; i + 4 <= n; i += 4)
            _mm_storeu_ps(x + i, limn_exp4(_mm_sub_ps(_mm_loadu_ps(x + i), _mm_set1_ps(max))));
        for (; i < n; i++) x[i] = limn_expf(x[i] - max);
        const float scale = 1.0f / limn_lane_sum(x, n);
        for (i = 0; i < n; i++) x[i] *= scale;
    }
}

float limn_log_sum_exp_sse41(const float *x, size_t n)
{
    const float max = row_max(x, n);
    __m128 sums[VECTORS];
    float lane[LIMN_LANES];
    size_t i = 0;
    for (size_t v = 0; v < VECTORS; v++) sums[v] = _mm_setzero_ps();
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (size_t v = 0; v < VECTORS; v++) {
            const __m128 rest = _mm_sub_ps(_mm_loadu_ps(x + i + 4 * v), _mm_set1_ps(max));
            sums[v] = _mm_add_ps(sums[v], limn_exp4(rest));
        }
    for (size_t v = 0; v < VECTORS; v++) _mm_storeu_ps(lane + 4 * v, sums[v]);
    for (size_t j = 0; i < n; i++, j++) lane[j] += limn_expf(x[i] - max);
    return max + limn_logf(limn_fold(lane));
}

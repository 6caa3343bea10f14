/* limn_attend (c/attend.c) with SSE4.1: the same operations in the same order, two at a time. */
#include <smmintrin.h>
#include <string.h>

#include "common/kernels/c/lanes.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/unroll.h"

enum { N_PAIRS = LIMN_LANES / 2, VALUES = 8 };

static float dot(const float *a, const float *b, size_t n)
{
    __m128d sums[N_PAIRS];
    float lane[LIMN_LANES];
    size_t i = 0;
    UNROLL
    for (size_t j = 0; j < N_PAIRS; j++) sums[j] = _mm_setzero_pd();
    for (; i + LIMN_LANES <= n; i += LIMN_LANES) {
        UNROLL
        for (size_t j = 0; j < N_PAIRS; j++)
            sums[j] = fma_pair(load_pair(a + i + 2 * j), load_pair(b + i + 2 * j), sums[j]);
    }
    UNROLL
    for (size_t j = 0; j < N_PAIRS; j += 2)
        _mm_storeu_ps(lane + 2 * j, join_pairs(sums[j], sums[j + 1]));
    for (size_t j = 0; i < n; i++, j++) lane[j] = limn_fmaf(a[i], b[i], lane[j]);
    return limn_fold(lane);
}

/* The sums of VALUES values from i on. */
static void sum_values(float *y, const float *weights, const float *const *v, size_t n, size_t i)
{
    __m128d sums[VALUES / 2];
    UNROLL
    for (size_t j = 0; j < VALUES / 2; j++) sums[j] = _mm_setzero_pd();
    for (size_t p = 0; p < n; p++) {
        const __m128d weight = _mm_set1_pd((double)weights[p]);
        UNROLL
        for (size_t j = 0; j < VALUES / 2; j++)
            sums[j] = fma_pair(weight, load_pair(v[p] + i + 2 * j), sums[j]);
    }
    UNROLL
    for (size_t j = 0; j < VALUES / 2; j += 2)
        _mm_storeu_ps(y + i + 2 * j, join_pairs(sums[j], sums[j + 1]));
}

void limn_attend_sse41(float *y, float *weights, const float *q, const float *const *k,
                       const float *const *v, size_t n, size_t dim, float scale)
{
    size_t i = 0;
    for (size_t p = 0; p < n; p++) weights[p] = scale * dot(q, k[p], dim);
    limn_softmax_sse41(weights, 1, n, n);
    for (; i + VALUES <= dim; i += VALUES) sum_values(y, weights, v, n, i);
    for (; i < dim; i++) {
        y[i] = 0.0f;
        for (size_t p = 0; p < n; p++) y[i] = limn_fmaf(weights[p], v[p][i], y[i]);
    }
}

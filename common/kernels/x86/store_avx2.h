/* What products do to their sums before they are written, with AVX2: activation, residual, and a
 * last vector that isn't full. */
#ifndef LIMN_COMMON_KERNELS_X86_STORE_AVX2_H
#define LIMN_COMMON_KERNELS_X86_STORE_AVX2_H

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include "common/kernels/kernels.h"
#include "common/kernels/x86/math_avx2.h"
#include "common/kernels/x86/unroll.h"

enum { HALF = LIMN_PANEL / 2 };

/* Out of line, so that its constants don't compete for registers with the tile's sums. */
static __attribute__((noinline)) __m256 activate_smoothly(limn_activation activation, __m256 v)
{
    switch (activation) {
    case LIMN_ACT_GELU_TANH: return limn_gelu_tanh8(v);
    case LIMN_ACT_QUICK_GELU: return limn_quick_gelu8(v);
    default: return limn_gelu8(v);
    }
}

INLINE __m256 activate(limn_activation activation, __m256 v)
{
    if (activation == LIMN_ACT_RELU6)
        return _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(6.0f));
    if (activation == LIMN_ACT_RELU) return _mm256_max_ps(v, _mm256_setzero_ps());
    if (activation == LIMN_ACT_NONE || activation == LIMN_ACT_RELU_OF_SUM) return v;
    return activate_smoothly(activation, v);
}

INLINE __m256 add_residual(limn_activation activation, __m256 v, __m256 residual)
{
    v = _mm256_add_ps(v, residual);
    return activation == LIMN_ACT_RELU_OF_SUM ? _mm256_max_ps(v, _mm256_setzero_ps()) : v;
}

static void store_part(const limn_linear_job *job, size_t offset, size_t n, __m256 v)
{
    static const int32_t ones_then_zeros[2 * HALF] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    const __m256i mask = _mm256_loadu_si256((const __m256i *)(ones_then_zeros + HALF - n));
    if (job->residual)
        v = add_residual(job->activation, v, _mm256_maskload_ps(job->residual + offset, mask));
    _mm256_maskstore_ps(job->y + offset, mask, v);
}

/* Writes 8 sums of a row, or as many as there are outputs from `output` on. They are already
 * activated. */
INLINE void put(const limn_linear_job *job, size_t row, size_t output, __m256 v)
{
    const size_t offset = limn_y_offset(job, row) + output;
    if (output + HALF <= job->w->n_outputs) {
        if (job->residual)
            v = add_residual(job->activation, v, _mm256_loadu_ps(job->residual + offset));
        _mm256_storeu_ps(job->y + offset, v);
    } else if (output < job->w->n_outputs) {
        store_part(job, offset, job->w->n_outputs - output, v);
    }
}

/* The same, and activates them. */
INLINE void store(const limn_linear_job *job, size_t row, size_t output, __m256 v)
{
    put(job, row, output, activate(job->activation, v));
}

#endif

#endif

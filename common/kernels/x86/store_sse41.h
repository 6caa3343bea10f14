/* What products do to their sums before they are written, with SSE4.1; see store_avx2.h. */
#ifndef LIMN_COMMON_KERNELS_X86_STORE_SSE41_H
#define LIMN_COMMON_KERNELS_X86_STORE_SSE41_H

#if defined(__SSE4_1__)

#include <smmintrin.h>
#include <string.h>

#include "common/kernels/kernels.h"
#include "common/kernels/x86/math_sse41.h"
#include "common/kernels/x86/unroll.h"

enum { FOUR = 4 };

/* Out of line, so that its constants don't compete for registers with the tile's sums. */
static __attribute__((noinline)) __m128 activate_smoothly(limn_activation activation, __m128 v)
{
    switch (activation) {
    case LIMN_ACT_GELU_TANH: return limn_gelu_tanh4(v);
    case LIMN_ACT_QUICK_GELU: return limn_quick_gelu4(v);
    default: return limn_gelu4(v);
    }
}

INLINE __m128 activate(limn_activation activation, __m128 v)
{
    if (activation == LIMN_ACT_RELU6)
        return _mm_min_ps(_mm_max_ps(v, _mm_setzero_ps()), _mm_set1_ps(6.0f));
    if (activation == LIMN_ACT_RELU) return _mm_max_ps(v, _mm_setzero_ps());
    if (activation == LIMN_ACT_NONE || activation == LIMN_ACT_RELU_OF_SUM) return v;
    return activate_smoothly(activation, v);
}

INLINE __m128 add_residual(limn_activation activation, __m128 v, __m128 residual)
{
    v = _mm_add_ps(v, residual);
    return activation == LIMN_ACT_RELU_OF_SUM ? _mm_max_ps(v, _mm_setzero_ps()) : v;
}

static void store_part(const limn_linear_job *job, size_t offset, size_t n, __m128 v)
{
    float values[FOUR] = { 0 };
    if (job->residual) {
        memcpy(values, job->residual + offset, n * sizeof *values);
        v = add_residual(job->activation, v, _mm_loadu_ps(values));
    }
    _mm_storeu_ps(values, v);
    memcpy(job->y + offset, values, n * sizeof *values);
}

/* Activates and writes 4 sums of a row, or as many as there are outputs from `output` on. */
INLINE void store(const limn_linear_job *job, size_t row, size_t output, __m128 v)
{
    const size_t offset = limn_y_offset(job, row) + output;
    v = activate(job->activation, v);
    if (output + FOUR <= job->w->n_outputs) {
        if (job->residual)
            v = add_residual(job->activation, v, _mm_loadu_ps(job->residual + offset));
        _mm_storeu_ps(job->y + offset, v);
    } else if (output < job->w->n_outputs) {
        store_part(job, offset, job->w->n_outputs - output, v);
    }
}

#endif

#endif

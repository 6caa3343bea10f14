/* What products do to their sums before they are written, with AVX-512; see store_avx2.h. */
#ifndef LIMN_COMMON_KERNELS_X86_STORE_AVX512_H
#define LIMN_COMMON_KERNELS_X86_STORE_AVX512_H

#if defined(__AVX512F__)

#include <immintrin.h>

#include "common/kernels/kernels.h"
#include "common/kernels/x86/math_avx512.h"
#include "common/kernels/x86/unroll.h"

/* Out of line, so that its constants don't compete for registers with the tile's sums. */
static __attribute__((noinline)) __m512 activate_smoothly(limn_activation activation, __m512 v)
{
    switch (activation) {
    case LIMN_ACT_GELU_TANH: return limn_gelu_tanh16(v);
    case LIMN_ACT_QUICK_GELU: return limn_quick_gelu16(v);
    default: return limn_gelu16(v);
    }
}

INLINE __m512 activate(limn_activation activation, __m512 v)
{
    if (activation == LIMN_ACT_RELU6)
        return _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), _mm512_set1_ps(6.0f));
    if (activation == LIMN_ACT_RELU) return _mm512_max_ps(v, _mm512_setzero_ps());
    if (activation == LIMN_ACT_NONE || activation == LIMN_ACT_RELU_OF_SUM) return v;
    return activate_smoothly(activation, v);
}

INLINE __m512 add_residual(limn_activation activation, __m512 v, __m512 residual)
{
    v = _mm512_add_ps(v, residual);
    return activation == LIMN_ACT_RELU_OF_SUM ? _mm512_max_ps(v, _mm512_setzero_ps()) : v;
}

/* Writes the sums of a row and panel, or as many as there are outputs. They are already
 * activated. */
INLINE void put(const limn_linear_job *job, size_t row, size_t panel, __m512 v)
{
    const size_t output = panel * LIMN_PANEL, n_left = job->w->n_outputs - output;
    const size_t offset = limn_y_offset(job, row) + output;
    if (n_left >= LIMN_PANEL) {
        if (job->residual)
            v = add_residual(job->activation, v, _mm512_loadu_ps(job->residual + offset));
        _mm512_storeu_ps(job->y + offset, v);
    } else {
        const __mmask16 mask = (__mmask16)((1u << n_left) - 1);
        if (job->residual)
            v = add_residual(job->activation, v,
                             _mm512_maskz_loadu_ps(mask, job->residual + offset));
        _mm512_mask_storeu_ps(job->y + offset, mask, v);
    }
}

/* The same, and activates them. */
INLINE void store(const limn_linear_job *job, size_t row, size_t panel, __m512 v)
{
    put(job, row, panel, activate(job->activation, v));
}

#endif

#endif

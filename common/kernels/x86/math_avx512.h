/* The functions of math_c.h on 16 floats, as math_avx2.h has them on 8. Only files compiled for
 * AVX-512 include this. */
#ifndef LIMN_COMMON_KERNELS_X86_MATH_AVX512_H
#define LIMN_COMMON_KERNELS_X86_MATH_AVX512_H

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

static inline __m512 limn_exp16(__m512 x)
{
    const __mmask16 is_tiny = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.33f), _CMP_LT_OQ);
    x = _mm512_min_ps(x, _mm512_set1_ps(88.37f));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504088896341f)),
                                          _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693359375f), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    p = _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23)));
    return _mm512_mask_blend_ps(is_tiny, p, _mm512_setzero_ps());
}

static inline __m512 limn_erf16(__m512 x)
{
    const __m512 sign = _mm512_set1_ps(-0.0f), one = _mm512_set1_ps(1.0f);
    const __m512 t = _mm512_andnot_ps(sign, x), s = _mm512_mul_ps(x, x);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(-1.72853470e-5f), t, _mm512_set1_ps(3.83197126e-4f));
    const __m512 q =
        _mm512_fmadd_ps(_mm512_set1_ps(-3.88396438e-3f), t, _mm512_set1_ps(2.42546219e-2f));
    p = _mm512_fmadd_ps(p, s, q);
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.06777877e-1f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-6.34846687e-1f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.28717512e-1f));
    p = _mm512_fmadd_ps(p, t, _mm512_xor_ps(t, sign));
    const __m512 tail = _mm512_or_ps(_mm512_andnot_ps(sign, _mm512_sub_ps(one, limn_exp16(p))),
                                     _mm512_and_ps(sign, x));
    p = _mm512_fmadd_ps(_mm512_set1_ps(-5.96761703e-4f), s, _mm512_set1_ps(4.99119423e-3f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-2.67681349e-2f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(1.12819925e-1f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-3.76125336e-1f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(1.28379166e-1f));
    const __m512 near_zero = _mm512_fmadd_ps(p, x, x);
    const __mmask16 is_far = _mm512_cmp_ps_mask(t, _mm512_set1_ps(0.927734375f), _CMP_GT_OQ);
    return _mm512_mask_blend_ps(is_far, near_zero, tail);
}

static inline __m512 limn_gelu16(__m512 x)
{
    const __m512 e = limn_erf16(_mm512_mul_ps(x, _mm512_set1_ps(0.70710678118654752f)));
    return _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(0.5f), x),
                         _mm512_add_ps(_mm512_set1_ps(1.0f), e));
}

static inline __m512 limn_gate16(__m512 x, __m512 z)
{
    const __m512 e = limn_exp16(_mm512_xor_ps(z, _mm512_set1_ps(-0.0f)));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), e));
}

static inline __m512 limn_gelu_tanh16(__m512 x)
{
    const __m512 square = _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(0.044715f), x), x);
    return limn_gate16(
        x, _mm512_mul_ps(_mm512_set1_ps(1.59576912160573071f), _mm512_fmadd_ps(square, x, x)));
}

static inline __m512 limn_quick_gelu16(__m512 x)
{
    return limn_gate16(x, _mm512_mul_ps(_mm512_set1_ps(1.702f), x));
}

#endif

#endif

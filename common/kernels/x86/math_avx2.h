/* The functions of math_c.h on 8 floats: the same operations in the same order, so the same bits.
 * Only files compiled for AVX2 and FMA include this. */
#ifndef LIMN_COMMON_KERNELS_X86_MATH_AVX2_H
#define LIMN_COMMON_KERNELS_X86_MATH_AVX2_H

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

static inline __m256 limn_exp8(__m256 x)
{
    const __m256 is_tiny = _mm256_cmp_ps(x, _mm256_set1_ps(-87.33f), _CMP_LT_OQ);
    x = _mm256_min_ps(x, _mm256_set1_ps(88.37f));
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504088896341f)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-0.693359375f), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
    return _mm256_andnot_ps(is_tiny, p);
}

static inline __m256 limn_erf8(__m256 x)
{
    const __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
    const __m256 t = _mm256_andnot_ps(sign, x), s = _mm256_mul_ps(x, x);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(-1.72853470e-5f), t, _mm256_set1_ps(3.83197126e-4f));
    const __m256 q =
        _mm256_fmadd_ps(_mm256_set1_ps(-3.88396438e-3f), t, _mm256_set1_ps(2.42546219e-2f));
    p = _mm256_fmadd_ps(p, s, q);
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.06777877e-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-6.34846687e-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.28717512e-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_xor_ps(t, sign));
    const __m256 tail = _mm256_or_ps(_mm256_andnot_ps(sign, _mm256_sub_ps(one, limn_exp8(p))),
                                     _mm256_and_ps(sign, x));
    p = _mm256_fmadd_ps(_mm256_set1_ps(-5.96761703e-4f), s, _mm256_set1_ps(4.99119423e-3f));
    p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(-2.67681349e-2f));
    p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(1.12819925e-1f));
    p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(-3.76125336e-1f));
    p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(1.28379166e-1f));
    const __m256 near_zero = _mm256_fmadd_ps(p, x, x);
    return _mm256_blendv_ps(near_zero, tail,
                            _mm256_cmp_ps(t, _mm256_set1_ps(0.927734375f), _CMP_GT_OQ));
}

static inline __m256 limn_gelu8(__m256 x)
{
    const __m256 e = limn_erf8(_mm256_mul_ps(x, _mm256_set1_ps(0.70710678118654752f)));
    return _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(0.5f), x),
                         _mm256_add_ps(_mm256_set1_ps(1.0f), e));
}

static inline __m256 limn_gate8(__m256 x, __m256 z)
{
    const __m256 e = limn_exp8(_mm256_xor_ps(z, _mm256_set1_ps(-0.0f)));
    return _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
}

static inline __m256 limn_gelu_tanh8(__m256 x)
{
    const __m256 square = _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(0.044715f), x), x);
    return limn_gate8(
        x, _mm256_mul_ps(_mm256_set1_ps(1.59576912160573071f), _mm256_fmadd_ps(square, x, x)));
}

static inline __m256 limn_quick_gelu8(__m256 x)
{
    return limn_gate8(x, _mm256_mul_ps(_mm256_set1_ps(1.702f), x));
}

#endif

#endif

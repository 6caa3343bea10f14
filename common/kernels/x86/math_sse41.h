/* The functions of math_c.h on 4 floats with SSE4.1: the same operations in the same order, with
 * the quicker of the two fused multiply-adds of fma_sse41.h. Where one had a tie, the four are
 * computed again by math_c.h itself.
 *
 * Operands that aren't ordinary change nothing: where |x| is so small that a product could be below
 * the least float, exp(x) and 1 + erf(x) are 1 whatever its last bits are; where |x| is so large
 * that a float would overflow, both have reached their limits, in doubles as in floats. */
#ifndef LIMN_COMMON_KERNELS_X86_MATH_SSE41_H
#define LIMN_COMMON_KERNELS_X86_MATH_SSE41_H

#if defined(__SSE4_1__)

#include <smmintrin.h>

#include "common/kernels/c/math_c.h"
#include "common/kernels/x86/fma_sse41.h"

/* Four floats, as doubles. */
typedef struct four {
    __m128d low, high;
} four;

INLINE four widen_four(__m128 v)
{
    return (four){ low_pair(v), high_pair(v) };
}

INLINE __m128 narrow_four(four v)
{
    return join_pairs(v.low, v.high);
}

INLINE four each_of_four(float v)
{
    return (four){ _mm_set1_pd((double)v), _mm_set1_pd((double)v) };
}

INLINE four fma_four_unless_tie(four x, four y, four z, __m128i *ties)
{
    return (four){ fma_pair_unless_tie(x.low, y.low, z.low, ties),
                   fma_pair_unless_tie(x.high, y.high, z.high, ties) };
}

/* p * x + c */
INLINE four next_power(four p, four x, float c, __m128i *ties)
{
    return fma_four_unless_tie(p, x, each_of_four(c), ties);
}

INLINE __m128 each_lane(__m128 v, float (*function)(float))
{
    float lanes[4];
    _mm_storeu_ps(lanes, v);
    for (int i = 0; i < 4; i++) lanes[i] = function(lanes[i]);
    return _mm_loadu_ps(lanes);
}

/* limn_expf, unless there is a tie. The first product is exact as a float, of 9 bits by at most
 * 7, and needs no emulation. */
INLINE __m128 exp_unless_tie(__m128 x, __m128i *ties)
{
    const __m128 least = _mm_set1_ps(-87.33f), is_tiny = _mm_cmplt_ps(x, least),
                 is_nan = _mm_cmpunord_ps(x, x);
    const __m128 bounded = _mm_min_ps(_mm_max_ps(x, least), _mm_set1_ps(88.37f));
    const __m128 n = _mm_round_ps(_mm_mul_ps(bounded, _mm_set1_ps(1.44269504088896341f)),
                                  _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m128 rest = _mm_add_ps(_mm_mul_ps(n, _mm_set1_ps(-0.693359375f)), bounded);
    const four r =
        fma_four_unless_tie(widen_four(n), each_of_four(2.12194440e-4f), widen_four(rest), ties);
    const __m128 r_floats = narrow_four(r);
    four p = each_of_four(1.9875691500e-4f);
    p = next_power(p, r, 1.3981999507e-3f, ties);
    p = next_power(p, r, 8.3334519073e-3f, ties);
    p = next_power(p, r, 4.1665795894e-2f, ties);
    p = next_power(p, r, 1.6666665459e-1f, ties);
    p = next_power(p, r, 5.0000001201e-1f, ties);
    p = fma_four_unless_tie(p, widen_four(_mm_mul_ps(r_floats, r_floats)), r, ties);
    const __m128 sum = _mm_add_ps(narrow_four(p), _mm_set1_ps(1.0f));
    const __m128i exponent = _mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127));
    const __m128 e = _mm_mul_ps(sum, _mm_castsi128_ps(_mm_slli_epi32(exponent, 23)));
    return _mm_blendv_ps(_mm_andnot_ps(is_tiny, e), x, is_nan);
}

static __attribute__((noinline)) __m128 exp_of_each(__m128 x)
{
    return each_lane(x, limn_expf);
}

INLINE __m128 limn_exp4(__m128 x)
{
    __m128i ties = _mm_setzero_si128();
    const __m128 e = exp_unless_tie(x, &ties);
    return has_tie(ties) ? exp_of_each(x) : e;
}

/* limn_erff beyond 0.927734375. */
INLINE __m128 erf_tail_unless_tie(__m128 x, __m128 t, four s, __m128i *ties)
{
    const __m128 sign = _mm_set1_ps(-0.0f), one = _mm_set1_ps(1.0f);
    const four wide_t = widen_four(t);
    four p = next_power(each_of_four(-1.72853470e-5f), wide_t, 3.83197126e-4f, ties);
    const four q = next_power(each_of_four(-3.88396438e-3f), wide_t, 2.42546219e-2f, ties);
    p = fma_four_unless_tie(p, s, q, ties);
    p = next_power(p, wide_t, -1.06777877e-1f, ties);
    p = next_power(p, wide_t, -6.34846687e-1f, ties);
    p = next_power(p, wide_t, -1.28717512e-1f, ties);
    p = fma_four_unless_tie(p, wide_t, widen_four(_mm_xor_ps(t, sign)), ties);
    const __m128 e = _mm_sub_ps(one, exp_unless_tie(narrow_four(p), ties));
    return _mm_or_ps(_mm_andnot_ps(sign, e), _mm_and_ps(sign, x));
}

INLINE __m128 erf_unless_tie(__m128 x, __m128i *ties)
{
    const __m128 t = _mm_andnot_ps(_mm_set1_ps(-0.0f), x);
    const four s = widen_four(_mm_mul_ps(x, x)), wide_x = widen_four(x);
    four p = next_power(each_of_four(-5.96761703e-4f), s, 4.99119423e-3f, ties);
    p = next_power(p, s, -2.67681349e-2f, ties);
    p = next_power(p, s, 1.12819925e-1f, ties);
    p = next_power(p, s, -3.76125336e-1f, ties);
    p = next_power(p, s, 1.28379166e-1f, ties);
    p = fma_four_unless_tie(p, wide_x, wide_x, ties);
    return _mm_blendv_ps(narrow_four(p), erf_tail_unless_tie(x, t, s, ties),
                         _mm_cmpgt_ps(t, _mm_set1_ps(0.927734375f)));
}

INLINE __m128 gelu_unless_tie(__m128 x, __m128i *ties)
{
    const __m128 e = erf_unless_tie(_mm_mul_ps(x, _mm_set1_ps(0.70710678118654752f)), ties);
    return _mm_mul_ps(_mm_mul_ps(_mm_set1_ps(0.5f), x), _mm_add_ps(_mm_set1_ps(1.0f), e));
}

INLINE __m128 gate_unless_tie(__m128 x, __m128 z, __m128i *ties)
{
    const __m128 e = exp_unless_tie(_mm_xor_ps(z, _mm_set1_ps(-0.0f)), ties);
    return _mm_div_ps(x, _mm_add_ps(_mm_set1_ps(1.0f), e));
}

INLINE __m128 gelu_tanh_unless_tie(__m128 x, __m128i *ties)
{
    const __m128 square = _mm_mul_ps(_mm_mul_ps(_mm_set1_ps(0.044715f), x), x);
    const four wide = widen_four(x),
               sum = fma_four_unless_tie(widen_four(square), wide, wide, ties);
    return gate_unless_tie(x, _mm_mul_ps(_mm_set1_ps(1.59576912160573071f), narrow_four(sum)),
                           ties);
}

INLINE __m128 limn_gelu4(__m128 x)
{
    __m128i ties = _mm_setzero_si128();
    const __m128 y = gelu_unless_tie(x, &ties);
    return has_tie(ties) ? each_lane(x, limn_geluf) : y;
}

INLINE __m128 limn_gelu_tanh4(__m128 x)
{
    __m128i ties = _mm_setzero_si128();
    const __m128 y = gelu_tanh_unless_tie(x, &ties);
    return has_tie(ties) ? each_lane(x, limn_gelu_tanhf) : y;
}

INLINE __m128 limn_quick_gelu4(__m128 x)
{
    __m128i ties = _mm_setzero_si128();
    const __m128 y = gate_unless_tie(x, _mm_mul_ps(_mm_set1_ps(1.702f), x), &ties);
    return has_tie(ties) ? each_lane(x, limn_quick_geluf) : y;
}

#endif

#endif

/* Fused multiply-adds of floats without the instruction, two at a time, to the last bit. The floats
 * are kept as doubles, where their product is exact; what matters is how its sum with the third is
 * rounded (c/fma_c.h says why). There are two ways:
 *
 *     fma_pair             any operands, with the operations of limn_emulated_fmaf
 *     fma_pair_unless_tie  ordinary operands, with a third of the work: rounds the sum to the
 *                          nearest double and that to the nearest float, which is also the float
 *                          nearest to the sum unless the double is halfway between two floats.
 *                          Such ties are noted, and the caller computes what had one again with
 *                          fma_pair.
 *
 * fma_four takes the first of them only where a tie is possible.
 *
 * Operands are ordinary when neither overflow nor anything below 2^-149, the least float, can occur
 * in their products and sums: then floats are doubles with 29 bits fewer, subnormal ones included.
 * That is decided once for many operands, from the spread of their exponents. */
#ifndef LIMN_COMMON_KERNELS_X86_FMA_SSE41_H
#define LIMN_COMMON_KERNELS_X86_FMA_SSE41_H

#if defined(__SSE4_1__)

#include <smmintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/kernels/x86/unroll.h"

/* Bits of a double that a float lacks, half of the least bit it has, and those it has. */
#define LOST_BITS INT64_C(0x1fffffff)
#define HALF_BIT INT64_C(0x10000000)

/* Two floats as doubles, from the first two lanes, or from memory. */
INLINE __m128d low_pair(__m128 v)
{
    return _mm_cvtps_pd(v);
}

INLINE __m128d high_pair(__m128 v)
{
    return _mm_cvtps_pd(_mm_movehl_ps(v, v));
}

INLINE __m128d load_pair(const float *from)
{
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)from)));
}

/* The inverse: they are floats already, so that nothing is rounded. */
INLINE __m128 join_pairs(__m128d low, __m128d high)
{
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

INLINE __m128d fma_pair(__m128d x, __m128d y, __m128d z)
{
    const __m128d sign = _mm_set1_pd(-0.0);
    const __m128d product = _mm_mul_pd(x, y), sum = _mm_add_pd(product, z);
    const __m128d part = _mm_sub_pd(sum, product);
    const __m128d lost =
        _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, part)), _mm_sub_pd(z, part));
    const __m128i is_inexact =
        _mm_castpd_si128(_mm_cmplt_pd(_mm_setzero_pd(), _mm_andnot_pd(sign, lost)));
    const __m128i bits = _mm_castpd_si128(sum);
    const __m128i is_beyond =
        _mm_srli_epi64(_mm_and_si128(_mm_xor_si128(bits, _mm_castpd_si128(lost)), is_inexact), 63);
    const __m128i odd =
        _mm_or_si128(_mm_sub_epi64(bits, is_beyond), _mm_srli_epi64(is_inexact, 63));
    return _mm_cvtps_pd(_mm_cvtpd_ps(_mm_castsi128_pd(odd)));
}

INLINE __m128d fma_pair_unless_tie(__m128d x, __m128d y, __m128d z, __m128i *ties)
{
    const __m128d sum = _mm_add_pd(_mm_mul_pd(x, y), z);
    const __m128i bits = _mm_add_epi64(_mm_castpd_si128(sum), _mm_set1_epi64x(HALF_BIT));
    const __m128i kept = _mm_and_si128(bits, _mm_set1_epi64x(~LOST_BITS));
    *ties = _mm_or_si128(*ties, _mm_cmpeq_epi32(bits, kept)); /* of a tie, nothing is lost now */
    return _mm_castsi128_pd(kept);
}

/* Whether a tie was noted; the lost bits are in the first half of a double. */
INLINE bool has_tie(__m128i ties)
{
    return (_mm_movemask_ps(_mm_castsi128_ps(ties)) & 5) != 0;
}

/* Out of line: rarely called. */
static __attribute__((noinline, unused)) __m128 fma_four_exactly(__m128 x, __m128 y, __m128 z)
{
    return join_pairs(fma_pair(low_pair(x), low_pair(y), low_pair(z)),
                      fma_pair(high_pair(x), high_pair(y), high_pair(z)));
}

/* Any operands. Rounds the sums to doubles and those to floats, and takes the long way if one of
 * the doubles is halfway between two floats or one of the floats is the least normal one, to which
 * a sum below it may have been rounded, or less. */
INLINE __m128 fma_four(__m128 x, __m128 y, __m128 z)
{
    const __m128d low = _mm_add_pd(_mm_mul_pd(low_pair(x), low_pair(y)), low_pair(z));
    const __m128d high = _mm_add_pd(_mm_mul_pd(high_pair(x), high_pair(y)), high_pair(z));
    const __m128 sums = join_pairs(low, high);
    const __m128i last_bits = _mm_castps_si128(
        _mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), _MM_SHUFFLE(2, 0, 2, 0)));
    const __m128i is_tie = _mm_cmpeq_epi32(_mm_and_si128(last_bits, _mm_set1_epi32(LOST_BITS)),
                                           _mm_set1_epi32(HALF_BIT));
    const __m128 is_small =
        _mm_cmple_ps(_mm_andnot_ps(_mm_set1_ps(-0.0f), sums), _mm_set1_ps(0x1p-126f));
    const int is_doubtful = _mm_movemask_ps(_mm_or_ps(_mm_castsi128_ps(is_tie), is_small));
    return is_doubtful ? fma_four_exactly(x, y, z) : sums;
}

/* How large values are: their bits without the sign, times 2, and of the least that isn't zero the
 * same minus 1. */
typedef struct spread {
    __m128i largest, least;
} spread;

INLINE spread no_spread(void)
{
    return (spread){ _mm_setzero_si128(), _mm_set1_epi32(-1) };
}

INLINE void add_to_spread(spread *s, __m128 v)
{
    const __m128i bits = _mm_castps_si128(v), size = _mm_add_epi32(bits, bits);
    s->largest = _mm_max_epu32(s->largest, size);
    s->least = _mm_min_epu32(s->least, _mm_sub_epi32(size, _mm_set1_epi32(1)));
}

/* The exponents of a spread, as floats store them: 127 is that of 1. */
typedef struct exponents {
    uint32_t largest, least; /* least: at most that; 255 if there are but zeros */
} exponents;

INLINE exponents exponents_of(const spread *s)
{
    __m128i largest = s->largest, least = s->least;
    largest = _mm_max_epu32(largest, _mm_shuffle_epi32(largest, 0x4e));
    largest = _mm_max_epu32(largest, _mm_shuffle_epi32(largest, 0xb1));
    least = _mm_min_epu32(least, _mm_shuffle_epi32(least, 0x4e));
    least = _mm_min_epu32(least, _mm_shuffle_epi32(least, 0xb1));
    return (exponents){ (uint32_t)_mm_cvtsi128_si32(largest) >> 24,
                        (uint32_t)_mm_cvtsi128_si32(least) >> 24 };
}

/* Whether products of x and y, summed in any number, are ordinary; with start, what such sums start
 * from. A product of at least 2^-102 is a multiple of 2^-149, having 48 bits, and so are the sums;
 * products of values below 2^41 do not add up to 2^127 before there are 2^44 of them. */
enum { LEAST_EXPONENTS = 2 * 127 - 102, LARGEST_FACTOR = 127 + 40, LARGEST_START = 127 + 100 };

INLINE bool are_ordinary(exponents x, exponents y)
{
    return x.least + y.least >= LEAST_EXPONENTS && x.largest <= LARGEST_FACTOR &&
           y.largest <= LARGEST_FACTOR;
}

INLINE bool is_ordinary_start(exponents start)
{
    return start.largest <= LARGEST_START;
}

#endif

#endif

/* Folds 16 vectors of integers at once, one lane of the result for each: half the shuffles of
 * folding them one by one, and what follows, such as a division, is done for all of them. */
#ifndef LIMN_COMMON_KERNELS_X86_FOLD_AVX512_H
#define LIMN_COMMON_KERNELS_X86_FOLD_AVX512_H

#if defined(__AVX512F__)

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/kernels/x86/unroll.h"

/* The larger lanes, or the sums. */
INLINE __m512i join(__m512i a, __m512i b, const bool is_sum)
{
    return is_sum ? _mm512_add_epi32(a, b) : _mm512_max_epi32(a, b);
}

/* Four vectors a b c d: in each 128 bits, their folds over these bits as lanes a b c d. */
INLINE __m512i fold_four(const __m512i v[4], const bool is_sum)
{
    const __m512i ab =
        join(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]), is_sum);
    const __m512i cd =
        join(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]), is_sum);
    return join(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd), is_sum);
}

/* The same of halves: the 128 bits of a and b, two by two. */
INLINE __m512i fold_parts(__m512i a, __m512i b, const bool is_sum)
{
    return join(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd), is_sum);
}

/* Lane i: the fold of v[i]. */
INLINE __m512i fold_sixteen(const __m512i v[16], const bool is_sum)
{
    __m512i fours[4];
    UNROLL
    for (size_t i = 0; i < 4; i++) fours[i] = fold_four(v + 4 * i, is_sum);
    return fold_parts(fold_parts(fours[0], fours[1], is_sum),
                      fold_parts(fours[2], fours[3], is_sum), is_sum);
}

#endif

#endif

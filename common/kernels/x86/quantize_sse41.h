/* limn_int8_quantize_row with SSE4.1, and what it shares with limn_encode_rows. */
#ifndef LIMN_COMMON_KERNELS_X86_QUANTIZE_SSE41_H
#define LIMN_COMMON_KERNELS_X86_QUANTIZE_SSE41_H

#if defined(__SSE4_1__)

#include <smmintrin.h>
#include <string.h>

#include "common/kernels/int8.h"
#include "common/kernels/x86/unroll.h"

enum { N_VECTORS = LIMN_INT8_BLOCK / 4 };

/* The larger of m and |x|, as integers: magnitudes compare as such, and infinity and NaN are larger
 * than any finite value. */
INLINE __m128i add_magnitudes(__m128i m, __m128 x)
{
    return _mm_max_epi32(m, _mm_and_si128(_mm_castps_si128(x), _mm_set1_epi32(0x7fffffff)));
}

/* The largest of four magnitudes. */
INLINE float largest_of(__m128i m)
{
    float value;
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    const int32_t bits = _mm_cvtsi128_si32(m);
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE int32_t sum_of(__m128i v)
{
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32(v, 0xb1)));
}

INLINE void quantize_block(limn_int8_block *block, const float *from)
{
    __m128 x[N_VECTORS];
    __m128i q[N_VECTORS], m = _mm_setzero_si128(), sum = m;
    UNROLL
    for (int i = 0; i < N_VECTORS; i++) {
        x[i] = _mm_loadu_ps(from + 4 * i);
        m = add_magnitudes(m, x[i]);
    }
    const float largest = largest_of(m);
    if (!(largest >= LIMN_INT8_LEAST && largest <= 3.402823466e38f)) {
        memset(block, 0, sizeof *block);
        if (!(largest < LIMN_INT8_LEAST)) block->scale = __builtin_nanf("");
        return;
    }
    const __m128 factor = _mm_set1_ps(127.0f / largest);
    UNROLL
    for (int i = 0; i < N_VECTORS; i++) {
        q[i] = _mm_cvtps_epi32(_mm_mul_ps(x[i], factor));
        sum = _mm_add_epi32(sum, q[i]);
    }
    UNROLL
    for (int i = 0; i < N_VECTORS; i += 4) {
        const __m128i bytes =
            _mm_packs_epi16(_mm_packs_epi32(q[i], q[i + 1]), _mm_packs_epi32(q[i + 2], q[i + 3]));
        _mm_storeu_si128((__m128i *)(block->q + 4 * i), bytes);
    }
    block->scale = largest / 127.0f;
    block->offset = -128 * sum_of(sum);
}

#endif

#endif

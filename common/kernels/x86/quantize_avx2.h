/* A block of limn_int8_quantize_row with AVX2, and what a tile of int8 products reads. */
#ifndef LIMN_COMMON_KERNELS_X86_QUANTIZE_AVX2_H
#define LIMN_COMMON_KERNELS_X86_QUANTIZE_AVX2_H

#if defined(__AVX2__)

#include <immintrin.h>
#include <string.h>

#include "common/kernels/int8.h"
#include "common/kernels/kernels.h"
#include "common/kernels/x86/int8_rows.h"
#include "common/kernels/x86/unroll.h"

enum { N_VECTORS = LIMN_INT8_BLOCK / 8 };

typedef struct tile_job {
    const limn_linear_job *job;
    const limn_int8_block *x; /* [n rows at a time, n_blocks] */
    size_t n_blocks, first;   /* the row of the job that x begins with */
} tile_job;

INLINE int32_t fold_max(__m256i v)
{
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtsi128_si32(m);
}

INLINE int32_t fold_sum(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

/* max |x|. Magnitudes compare as integers, and infinity and NaN are larger than any finite
 * value. */
INLINE float largest(const __m256 x[N_VECTORS])
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i m = _mm256_setzero_si256();
    float value;
    UNROLL
    for (int i = 0; i < N_VECTORS; i++)
        m = _mm256_max_epi32(m, _mm256_and_si256(_mm256_castps_si256(x[i]), magnitude));
    const int32_t bits = fold_max(m);
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE void quantize_block(limn_int8_block *block, const float *from)
{
    __m256 x[N_VECTORS];
    __m256i q[N_VECTORS], sum = _mm256_setzero_si256();
    UNROLL
    for (int i = 0; i < N_VECTORS; i++) x[i] = _mm256_loadu_ps(from + 8 * i);
    const float m = largest(x);
    if (!(m >= LIMN_INT8_LEAST && m <= 3.402823466e38f)) {
        memset(block, 0, sizeof *block);
        if (!(m < LIMN_INT8_LEAST)) block->scale = __builtin_nanf("");
        return;
    }
    const __m256 factor = _mm256_set1_ps(127.0f / m);
    UNROLL
    for (int i = 0; i < N_VECTORS; i++) {
        q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(x[i], factor));
        sum = _mm256_add_epi32(sum, q[i]);
    }
    const __m256i bytes =
        _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)block->q, _mm256_permutevar8x32_epi32(bytes, order));
    block->scale = m / 127.0f;
    block->offset = -128 * fold_sum(sum);
}

#endif

#endif

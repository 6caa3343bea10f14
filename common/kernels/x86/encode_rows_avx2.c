/* limn_encode_rows_c with AVX2. */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/unroll.h"

enum { LANES = 8 };

/* The first n lanes. */
INLINE __m256i first_lanes(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE __m256 load(const float *x, size_t n_left)
{
    return n_left >= LANES ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, first_lanes(n_left));
}

/* max |x|. Magnitudes compare as integers, and infinity and NaN are larger than any finite
 * value. */
static float largest(const float *x, size_t n)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i m = _mm256_setzero_si256();
    float value;
    for (size_t k = 0; k < n; k += LANES)
        m = _mm256_max_epi32(m,
                             _mm256_and_si256(_mm256_castps_si256(load(x + k, n - k)), magnitude));
    __m128i half = _mm_max_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    const int32_t bits = _mm_cvtsi128_si32(half);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Eight codes, or n: the last ones. */
INLINE void store(unsigned char *codes, __m128i words, size_t n, const bool is_word)
{
    const __m128i v = is_word ? words : _mm_packus_epi16(words, words);
    const size_t size = is_word ? 2 : 1;
    unsigned char last[16];
    if (n >= LANES) {
        if (is_word)
            _mm_storeu_si128((__m128i *)codes, v);
        else
            _mm_storel_epi64((__m128i *)codes, v);
        return;
    }
    _mm_storeu_si128((__m128i *)last, v);
    memcpy(codes, last, n * size);
}

INLINE void encode(unsigned char *codes, float *step, const float *x, size_t n, const bool is_word)
{
    const float m = largest(x, n);
    const size_t n_codes = LIMN_CODES_PADDED(n), size = is_word ? 2 : 1;
    const __m128i zero = _mm_set1_epi16(LIMN_CODES_ZERO_OF_ROW);
    const bool is_zero = m < LIMN_INT8_LEAST, is_finite = m <= 3.402823466e38f;
    *step = is_zero ? 0.0f : is_finite ? m / 127.0f : __builtin_nanf("");
    const __m256 factor = _mm256_set1_ps(127.0f / m);
    for (size_t k = 0; k < n; k += LANES) {
        const __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(load(x + k, n - k), factor));
        const __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
        store(codes + k * size, is_zero || !is_finite ? zero : _mm_add_epi16(words, zero),
              n_codes - k, is_word);
    }
}

INLINE void encode_rows(unsigned char *codes, float *steps, const float *x, size_t n_rows,
                        size_t x_stride, size_t n, const bool is_word)
{
    const size_t row_size = LIMN_CODES_PADDED(n) * (is_word ? 2 : 1);
    for (size_t r = 0; r < n_rows; r++)
        encode(codes + r * row_size, &steps[r], x + r * x_stride, n, is_word);
}

void limn_encode_rows_avx2(void *codes, float *steps, const float *x, size_t n_rows,
                           size_t x_stride, size_t n)
{
    encode_rows(codes, steps, x, n_rows, x_stride, n, false);
}

void limn_encode_rows_words_avx2(void *codes, float *steps, const float *x, size_t n_rows,
                                 size_t x_stride, size_t n)
{
    encode_rows(codes, steps, x, n_rows, x_stride, n, true);
}

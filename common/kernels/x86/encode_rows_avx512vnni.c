/* limn_encode_rows_c with AVX-512, for levels whose codes are bytes: 16 rows at a time. */
#include <immintrin.h>
#include <stdbool.h>

#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/fold_avx512.h"
#include "common/kernels/x86/unroll.h"

enum { LANES = 16, ROWS = 16 };

/* The first n lanes; all for n >= LANES. */
INLINE __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n >= LANES ? 0xffff : (1u << n) - 1);
}

/* max |x| of each row. Magnitudes compare as integers, and infinity and NaN are larger than any
 * finite value. Instead of rows past n_rows, the last is read again. */
INLINE __m512 largest(const float *x, size_t n_rows, size_t x_stride, size_t n)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512i m[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        const float *row = x + (r < n_rows ? r : n_rows - 1) * x_stride;
        m[r] = _mm512_setzero_si512();
        for (size_t k = 0; k < n; k += LANES) {
            const __m512i v = _mm512_maskz_loadu_epi32(first_lanes(n - k), row + k);
            m[r] = _mm512_max_epi32(m[r], _mm512_and_si512(v, magnitude));
        }
    }
    return _mm512_castsi512_ps(fold_sixteen(m, false));
}

/* `lives`: all lanes, or none for a row whose codes are all LIMN_CODES_ZERO_OF_ROW. */
INLINE void encode_row(uint8_t *codes, const float *x, size_t n, float factor, __mmask16 lives)
{
    const __m512i zero = _mm512_set1_epi32(LIMN_CODES_ZERO_OF_ROW);
    const __m512 factors = _mm512_set1_ps(factor);
    size_t k = 0;
    for (; k + LANES <= n; k += LANES) {
        const __m512 units = _mm512_mul_ps(_mm512_loadu_ps(x + k), factors);
        const __m512i q = _mm512_maskz_cvtps_epi32(lives, units);
        _mm_storeu_si128((__m128i *)(codes + k), _mm512_cvtepi32_epi8(_mm512_add_epi32(q, zero)));
    }
    if (k == n) return;
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - k), x + k);
    const __m512i q = _mm512_maskz_cvtps_epi32(lives, _mm512_mul_ps(v, factors));
    _mm512_mask_cvtepi32_storeu_epi8(codes + k, first_lanes(LIMN_CODES_PADDED(n) - k),
                                     _mm512_add_epi32(q, zero));
}

INLINE void encode_some(uint8_t *codes, float *steps, const float *x, size_t n_rows,
                        size_t x_stride, size_t n)
{
    const __m512 m = largest(x, n_rows, x_stride, n);
    const __mmask16 is_zero = _mm512_cmp_ps_mask(m, _mm512_set1_ps(LIMN_INT8_LEAST), _CMP_LT_OQ);
    const __mmask16 is_finite = _mm512_cmp_ps_mask(m, _mm512_set1_ps(3.402823466e38f), _CMP_LE_OQ);
    __m512 step = _mm512_div_ps(m, _mm512_set1_ps(127.0f));
    float factors[ROWS];
    step = _mm512_mask_mov_ps(step, is_zero, _mm512_setzero_ps());
    step = _mm512_mask_mov_ps(_mm512_set1_ps(__builtin_nanf("")), is_finite, step);
    _mm512_mask_storeu_ps(steps, first_lanes(n_rows), step);
    _mm512_storeu_ps(factors, _mm512_div_ps(_mm512_set1_ps(127.0f), m));
    const unsigned lives = is_finite & ~(unsigned)is_zero;
    for (size_t r = 0; r < n_rows; r++)
        encode_row(codes + r * LIMN_CODES_PADDED(n), x + r * x_stride, n, factors[r],
                   (__mmask16) - (lives >> r & 1));
}

void limn_encode_rows_avx512vnni(void *codes, float *steps, const float *x, size_t n_rows,
                                 size_t x_stride, size_t n)
{
    for (size_t r = 0; r < n_rows; r += ROWS)
        encode_some((uint8_t *)codes + r * LIMN_CODES_PADDED(n), steps + r, x + r * x_stride,
                    n_rows - r < ROWS ? n_rows - r : ROWS, x_stride, n);
}

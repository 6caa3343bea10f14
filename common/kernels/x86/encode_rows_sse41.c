/* limn_encode_rows_c with SSE4.1; codes are words, as at every vector level without dot products of
 * bytes. */
#include <smmintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/quantize_sse41.h"
#include "common/kernels/x86/unroll.h"

enum { LANES = 4 };

/* Four values, or n_left and zeros. */
INLINE __m128 load(const float *x, size_t n_left)
{
    float last[LANES] = { 0 };
    if (n_left >= LANES) return _mm_loadu_ps(x);
    memcpy(last, x, n_left * sizeof *x);
    return _mm_loadu_ps(last);
}

static float largest(const float *x, size_t n)
{
    __m128i m = _mm_setzero_si128();
    for (size_t k = 0; k < n; k += LANES) m = add_magnitudes(m, load(x + k, n - k));
    return largest_of(m);
}

static void encode_row(uint16_t *codes, float *step, const float *x, size_t n)
{
    const float m = largest(x, n);
    const bool is_zero = m < LIMN_INT8_LEAST, is_finite = m <= 3.402823466e38f;
    const __m128i zero = _mm_set1_epi16(LIMN_CODES_ZERO_OF_ROW);
    const __m128 factor = _mm_set1_ps(127.0f / m);
    *step = is_zero ? 0.0f : is_finite ? m / 127.0f : __builtin_nanf("");
    for (size_t k = 0; k < n; k += LANES) { /* codes are padded to fours */
        const __m128i q = _mm_cvtps_epi32(_mm_mul_ps(load(x + k, n - k), factor));
        const __m128i words = _mm_add_epi16(_mm_packs_epi32(q, q), zero);
        _mm_storel_epi64((__m128i *)(codes + k), is_zero || !is_finite ? zero : words);
    }
}

void limn_encode_rows_sse41(void *codes, float *steps, const float *x, size_t n_rows,
                            size_t x_stride, size_t n)
{
    for (size_t r = 0; r < n_rows; r++)
        encode_row((uint16_t *)codes + r * LIMN_CODES_PADDED(n), &steps[r], x + r * x_stride, n);
}

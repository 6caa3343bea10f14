/* limn_encode_row_c with AVX-512, for levels whose codes are bytes. */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/codes.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/unroll.h"

enum { LANES = 16 };

/* The first n lanes; all for n >= LANES. */
INLINE __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n >= LANES ? 0xffff : (1u << n) - 1);
}

/* max |x|. Magnitudes compare as integers, and infinity and NaN are larger than any finite
 * value. */
INLINE float largest(const float *x, size_t n)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512i m = _mm512_setzero_si512();
    float value;
    for (size_t k = 0; k < n; k += LANES)
        m = _mm512_max_epi32(
            m, _mm512_and_si512(_mm512_maskz_loadu_epi32(first_lanes(n - k), x + k), magnitude));
    const int32_t bits = _mm512_reduce_max_epi32(m);
    memcpy(&value, &bits, sizeof value);
    return value;
}

void limn_encode_row_avx512vnni(void *codes, float *step, const float *x, size_t n)
{
    const float m = largest(x, n);
    const bool is_zero = m < LIMN_INT8_LEAST, is_finite = m <= 3.402823466e38f;
    const __mmask16 lives = is_zero || !is_finite ? 0 : 0xffff; /* all or none */
    const __m512 factor = _mm512_set1_ps(127.0f / m);
    const __m512i zero = _mm512_set1_epi32(LIMN_CODES_ZERO_OF_ROW);
    *step = is_zero ? 0.0f : is_finite ? m / 127.0f : __builtin_nanf("");
    for (size_t k = 0; k < n; k += LANES) {
        const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - k), x + k);
        const __m512i q = _mm512_maskz_cvtps_epi32(lives, _mm512_mul_ps(v, factor));
        _mm512_mask_cvtepi32_storeu_epi8(
            (uint8_t *)codes + k, first_lanes(LIMN_CODES_PADDED(n) - k), _mm512_add_epi32(q, zero));
    }
}

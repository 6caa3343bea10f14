/* Halves to floats with F16C. */
#include <immintrin.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/pack.h"

void limn_widen_avx2(float *out, const uint16_t *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(in + i))));
    for (; i < n; i++) out[i] = limn_f16_to_f32(in[i]);
}

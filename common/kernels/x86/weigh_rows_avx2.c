/* limn_weigh_rows_c with AVX2: the sums of 32 bytes stay in registers while all rows are added. */
#include <immintrin.h>

#include "common/kernels/weigh_rows.h"
#include "common/kernels/x86/unroll.h"

enum { LANES = 8, N_VECTORS = 4, N_BYTES = LANES * N_VECTORS };

INLINE void weigh_part(uint8_t *out, const uint8_t *rows, const int32_t *weights, size_t n_weights,
                       size_t stride)
{
    __m256i sums[N_VECTORS];
    UNROLL
    for (int v = 0; v < N_VECTORS; v++) sums[v] = _mm256_set1_epi32(1 << (LIMN_WEIGH_BITS - 1));
    for (size_t t = 0; t < n_weights; t++, rows += stride) {
        const __m256i weight = _mm256_set1_epi32(weights[t]);
        UNROLL
        for (int v = 0; v < N_VECTORS; v++) {
            const __m128i bytes = _mm_loadl_epi64((const __m128i *)(rows + v * LANES));
            sums[v] =
                _mm256_add_epi32(sums[v], _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), weight));
        }
    }
    UNROLL
    for (int v = 0; v < N_VECTORS; v++) sums[v] = _mm256_srai_epi32(sums[v], LIMN_WEIGH_BITS);
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                              _mm256_packs_epi32(sums[2], sums[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)out, _mm256_permutevar8x32_epi32(bytes, order));
}

/* The last part overlaps the one before it. */
void limn_weigh_rows_avx2(uint8_t *out, const uint8_t *rows, const int32_t *weights,
                          size_t n_weights, size_t n)
{
    if (n < N_BYTES) {
        limn_weigh_rows_c(out, rows, weights, n_weights, n);
        return;
    }
    for (size_t j = 0; j + N_BYTES <= n; j += N_BYTES)
        weigh_part(out + j, rows + j, weights, n_weights, n);
    if (n % N_BYTES > 0) weigh_part(out + n - N_BYTES, rows + n - N_BYTES, weights, n_weights, n);
}

/* The specification of weigh_rows.h. */
#include "common/kernels/weigh_rows.h"

enum { PART = 256 }; /* bytes whose sums stay in the nearest cache */

static void weigh_part(uint8_t *restrict out, const uint8_t *restrict rows, const int32_t *weights,
                       size_t n_weights, size_t stride, size_t n)
{
    int32_t sums[PART];
    for (size_t j = 0; j < n; j++) sums[j] = 1 << (LIMN_WEIGH_BITS - 1);
    for (size_t t = 0; t < n_weights; t++)
        for (size_t j = 0; j < n; j++) sums[j] += rows[t * stride + j] * weights[t];
    for (size_t j = 0; j < n; j++) {
        const int32_t value = sums[j] >> LIMN_WEIGH_BITS;
        out[j] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

void limn_weigh_rows_c(uint8_t *out, const uint8_t *rows, const int32_t *weights, size_t n_weights,
                       size_t n)
{
    for (size_t j = 0; j < n; j += PART)
        weigh_part(out + j, rows + j, weights, n_weights, n, n - j < PART ? n - j : PART);
}

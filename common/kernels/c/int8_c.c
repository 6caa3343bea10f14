#include "common/kernels/int8.h"

#include <math.h>

size_t limn_int8_n_blocks(size_t n)
{
    return n / LIMN_INT8_BLOCK + (n % LIMN_INT8_BLOCK != 0);
}

/* max |x|; NaN if any x isn't finite. */
static float largest(const float *x, size_t n)
{
    float m = 0.0f;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(x[k])) return NAN;
        m = fabsf(x[k]) > m ? fabsf(x[k]) : m;
    }
    return m;
}

/* q of values whose largest is m; returns their scale. */
static float quantize(int8_t *q, const float *x, size_t n, float m)
{
    if (!(m >= LIMN_INT8_LEAST)) {
        for (size_t k = 0; k < n; k++) q[k] = 0;
        return isnan(m) ? m : 0.0f;
    }
    const float factor = 127.0f / m;
    for (size_t k = 0; k < n; k++) q[k] = (int8_t)nearbyintf(x[k] * factor);
    return m / 127.0f;
}

float limn_int8_quantize_weights(int8_t *q, const float *w, size_t n)
{
    return quantize(q, w, n, largest(w, n));
}

void limn_int8_quantize_row(limn_int8_block *blocks, const float *x, size_t n)
{
    for (size_t first = 0; first < n; first += LIMN_INT8_BLOCK, blocks++) {
        const size_t n_left = n - first;
        const size_t size = n_left < LIMN_INT8_BLOCK ? n_left : LIMN_INT8_BLOCK;
        int32_t sum = 0;
        blocks->scale = quantize(blocks->q, x + first, size, largest(x + first, size));
        for (size_t k = size; k < LIMN_INT8_BLOCK; k++) blocks->q[k] = 0;
        for (size_t k = 0; k < size; k++) sum += blocks->q[k];
        blocks->offset = -128 * sum;
    }
}

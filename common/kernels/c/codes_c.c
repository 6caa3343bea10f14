#include "common/kernels/codes.h"

#include <math.h>
#include <string.h>

#include "common/kernels/c/activate_c.h"
#include "common/kernels/int8.h"
#include "common/kernels/int8_lanes.h"
#include "common/kernels/kernel_levels.h"

float limn_codes_quantize_weights(int8_t *high, int8_t *low, const float *w, size_t n)
{
    float m = 0.0f;
    for (size_t k = 0; k < n; k++) m = fabsf(w[k]) > m ? fabsf(w[k]) : m;
    memset(high, 0, n);
    memset(low, 0, n);
    if (!(m >= LIMN_INT8_LEAST)) return 0.0f;
    for (size_t k = 0; k < n; k++) {
        const float q = nearbyintf(w[k] * (127.0f * LIMN_CODES_PAIR / m));
        const float part = nearbyintf(q / LIMN_CODES_PAIR);
        high[k] = (int8_t)part;
        low[k] = (int8_t)(q - LIMN_CODES_PAIR * part);
    }
    return m / (127.0f * LIMN_CODES_PAIR);
}

static void encode_row(uint8_t *codes, float *step, const float *x, size_t n)
{
    float m = 0.0f;
    bool is_finite = true;
    for (size_t k = 0; k < n; k++) {
        is_finite = is_finite && isfinite(x[k]);
        m = fabsf(x[k]) > m ? fabsf(x[k]) : m;
    }
    memset(codes, LIMN_CODES_ZERO_OF_ROW, LIMN_CODES_PADDED(n));
    *step = is_finite ? 0.0f : NAN;
    if (!is_finite || !(m >= LIMN_INT8_LEAST)) return;
    for (size_t k = 0; k < n; k++)
        codes[k] = (uint8_t)(LIMN_CODES_ZERO_OF_ROW + (int)nearbyintf(x[k] * (127.0f / m)));
    *step = m / 127.0f;
}

void limn_encode_rows_c(void *codes, float *steps, const float *x, size_t n_rows, size_t x_stride,
                        size_t n)
{
    for (size_t r = 0; r < n_rows; r++)
        encode_row((uint8_t *)codes + r * LIMN_CODES_PADDED(n), &steps[r], x + r * x_stride, n);
}

/* The sum of a plane of an output's weights. */
static int32_t sum_codes(const limn_codes_job *job, const uint8_t *x, size_t output, size_t plane)
{
    const limn_packed *w = job->product.w;
    const uint8_t *q = limn_packed_plane(w, output / LIMN_PANEL, plane);
    int32_t sum = 0;
    for (size_t k = 0; k < w->n_inputs; k++)
        sum += (x[k] - job->zero) * (q[limn_int8_place(k, output % LIMN_PANEL)] - LIMN_INT8_ZERO);
    return sum;
}

static void multiply_row(const limn_codes_job *job, size_t row)
{
    const limn_linear_job *product = &job->product;
    const limn_packed *w = product->w;
    const uint8_t *x = (const uint8_t *)job->x + row * product->x_stride;
    const float step = job->steps ? job->steps[row] : job->step;
    for (size_t o = product->panel_begin * LIMN_PANEL;
         o < product->panel_end * LIMN_PANEL && o < w->n_outputs; o++) {
        float acc = (float)sum_codes(job, x, o, 0);
        if (w->dtype == LIMN_I8_PAIRS)
            acc = fmaf(acc, LIMN_CODES_PAIR, (float)sum_codes(job, x, o, 1));
        limn_store_c(product, row, o, fmaf(acc * step, w->scales[o], w->bias ? w->bias[o] : 0.0f));
    }
}

void limn_linear_codes_c(const limn_codes_job *job)
{
    for (size_t r = 0; r < job->product.n_rows; r++) multiply_row(job, r);
}

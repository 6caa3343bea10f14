#include <math.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/c/activate_c.h"
#include "common/kernels/pack.h"

static float weight(const limn_packed *w, size_t panel, size_t k, size_t lane)
{
    const size_t i = (panel * w->n_inputs + k) * LIMN_PANEL + lane;
    if (w->dtype == LIMN_F16) return limn_f16_to_f32(((const uint16_t *)w->panels)[i]);
    return ((const float *)w->panels)[i];
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

void limn_widen_c(float *out, const uint16_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = limn_f16_to_f32(in[i]);
}

/* acc + the products of inputs begin … end - 1, one after another. */
static float multiply(const limn_packed *w, size_t output, const float *x, size_t begin, size_t end,
                      float acc)
{
    for (size_t k = begin; k < end; k++)
        acc = fmaf(x[k], weight(w, output / LIMN_PANEL, k, output % LIMN_PANEL), acc);
    return acc;
}

static float sum_of(const limn_linear_job *job, const float *x, size_t output)
{
    const limn_packed *w = job->w;
    const size_t n = w->n_inputs, block = job->block ? job->block : n;
    float acc = multiply(w, output, x, 0, min_size(block, n), w->bias ? w->bias[output] : 0.0f);
    for (size_t k = block; k < n; k += block)
        acc += multiply(w, output, x, k, min_size(k + block, n), 0.0f);
    return acc;
}

void limn_linear_c(const limn_linear_job *job)
{
    for (size_t r = 0; r < job->n_rows; r++)
        for (size_t o = job->panel_begin * LIMN_PANEL;
             o < job->panel_end * LIMN_PANEL && o < job->w->n_outputs; o++)
            limn_store_c(job, r, o, sum_of(job, job->x + r * job->x_stride, o));
}

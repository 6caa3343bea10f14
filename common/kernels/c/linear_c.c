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

void limn_widen_c(float *out, const uint16_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = limn_f16_to_f32(in[i]);
}

void limn_linear_c(const limn_linear_job *job)
{
    const limn_packed *w = job->w;
    for (size_t r = 0; r < job->n_rows; r++) {
        const float *x = job->x + r * job->x_stride;
        for (size_t o = job->panel_begin * LIMN_PANEL;
             o < job->panel_end * LIMN_PANEL && o < w->n_outputs; o++) {
            float acc = w->bias ? w->bias[o] : 0.0f;
            for (size_t k = 0; k < w->n_inputs; k++)
                acc = fmaf(x[k], weight(w, o / LIMN_PANEL, k, o % LIMN_PANEL), acc);
            limn_store_c(job, r, o, acc);
        }
    }
}

#include <math.h>

#include "common/kernels/c/activate_c.h"
#include "common/kernels/int8.h"
#include "common/kernels/kernel_levels.h"

/* Sum of a block: x is that of a row, w that of a panel, of which `lane` is one output. */
static int32_t block_sum(const limn_int8_block *x, const uint8_t *w, size_t lane)
{
    int32_t sum = x->offset;
    for (size_t k = 0; k < LIMN_INT8_BLOCK; k++)
        sum += x->q[k] * w[k / 4 * (4 * LIMN_PANEL) + lane * 4 + k % 4];
    return sum;
}

static void multiply_row(const limn_linear_job *job, size_t row, const limn_int8_block *x)
{
    const limn_packed *w = job->w;
    const size_t n_blocks = limn_int8_n_blocks(w->n_inputs);
    for (size_t o = job->panel_begin * LIMN_PANEL;
         o < job->panel_end * LIMN_PANEL && o < w->n_outputs; o++) {
        const uint8_t *panel =
            (const uint8_t *)w->panels + o / LIMN_PANEL * n_blocks * LIMN_INT8_BLOCK * LIMN_PANEL;
        float acc = 0.0f;
        for (size_t b = 0; b < n_blocks; b++)
            acc = fmaf(
                (float)block_sum(&x[b], panel + b * LIMN_INT8_BLOCK * LIMN_PANEL, o % LIMN_PANEL),
                x[b].scale, acc);
        limn_store_c(job, row, o, fmaf(acc, w->scales[o], w->bias ? w->bias[o] : 0.0f));
    }
}

void limn_linear_int8_c(const limn_linear_job *job)
{
    limn_int8_block x[LIMN_INT8_MAX_BLOCKS];
    for (size_t r = 0; r < job->n_rows; r++) {
        limn_int8_quantize_row(x, job->x + r * job->x_stride, job->w->n_inputs);
        multiply_row(job, r, x);
    }
}

#include <math.h>

#include "common/kernels/rows_grad_levels.h"

static void backward_taps(const limn_depthwise_grad_job *j, size_t ky, size_t column)
{
    const float *dy = j->dy + column * j->n_channels;
    for (size_t kx = 0; kx < j->size; kx++) {
        const size_t at = (column * j->stride + kx) * j->n_channels;
        const size_t tap = (ky * j->size + kx) * j->n_channels;
        float *dx = j->dx_rows[ky] + at;
        const float *x = j->x_rows[ky] + at;
        for (size_t c = 0; c < j->n_channels; c++) {
            dx[c] = fmaf(dy[c], j->w[tap + c], dx[c]);
            j->dw[tap + c] = fmaf(dy[c], x[c], j->dw[tap + c]);
        }
    }
}

void limn_depthwise_grad_c(const limn_depthwise_grad_job *j)
{
    for (size_t ky = 0; ky < j->size; ky++)
        for (size_t column = 0; j->x_rows[ky] && column < j->n_columns; column++)
            backward_taps(j, ky, column);
    for (size_t column = 0; column < j->n_columns; column++)
        for (size_t c = 0; c < j->n_channels; c++) j->dbias[c] += j->dy[column * j->n_channels + c];
}

#include <math.h>

#include "common/kernels/rows_grad_levels.h"

void limn_weight_grad_c(const limn_weight_grad_job *j)
{
    for (size_t r = 0; r < j->n_rows; r++)
        for (size_t o = 0; o < j->n_outputs; o++)
            for (size_t i = 0; i < j->n_inputs; i++) {
                float *dw = j->dw + o * j->dw_stride + i;
                *dw = fmaf(j->dy[r * j->dy_stride + o], j->x[r * j->x_stride + i], *dw);
            }
}

/* Max-pooling. Compiled once for each CPU level (level_name.h). */
#include <stdbool.h>
#include <string.h>

#include "common/kernels/c/level_name.h"
#include "common/kernels/kernel_levels.h"

static void keep_larger(float *y, const float *x, size_t n)
{
    for (size_t c = 0; c < n; c++) y[c] = x[c] > y[c] ? x[c] : y[c];
}

static void pool_column(const limn_max_pool_job *job, float *y, size_t column)
{
    const size_t n = job->n_channels;
    bool is_first = true;
    for (size_t ky = 0; ky < job->size; ky++) {
        for (size_t kx = 0; kx < job->size && job->rows[ky]; kx++) {
            const size_t at = column * job->stride + kx;
            if (at < job->n_before || at - job->n_before >= job->width) continue;
            const float *x = job->rows[ky] + (at - job->n_before) * n;
            if (is_first)
                memcpy(y, x, n * sizeof *y);
            else
                keep_larger(y, x, n);
            is_first = false;
        }
    }
}

void LIMN_LEVEL(limn_max_pool)(const limn_max_pool_job *job)
{
    for (size_t j = 0; j < job->n_columns; j++) pool_column(job, job->y + j * job->n_channels, j);
}

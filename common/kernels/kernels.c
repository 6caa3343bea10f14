#include "common/kernels/kernels.h"

#include "common/kernels/cpu_level_row.h"

static void fill(limn_kernels *k, limn_cpu_level level)
{
    const limn_cpu_level_row *row = limn_cpu_level_find(level);
    if (row->base != level) fill(k, row->base);
    row->fill(k);
}

void limn_kernels_init(limn_kernels *k, limn_cpu_level level)
{
    *k = (limn_kernels){ .level = level };
    fill(k, level);
}

void limn_linear(const limn_kernels *k, const limn_linear_job *job)
{
    if (k->watch) k->watch(k->watch_ctx, job);
    k->linear[job->w->dtype](job);
}

#include "common/kernels/rows_grad.h"

#include "common/kernels/cpu_level_row.h"
#include "common/kernels/rows_grad_levels.h"

/* A level without a table of its own uses its base's. */
static const limn_rows_grad *const tables[LIMN_N_CPU_LEVELS] = {
    [LIMN_CPU_C] = &limn_rows_grad_c,
#if HAVE_X86_KERNELS
    [LIMN_CPU_AVX2] = &limn_rows_grad_avx2,
    [LIMN_CPU_AVX512] = &limn_rows_grad_avx512,
#endif
};

const limn_rows_grad *limn_rows_grad_choose(limn_cpu_level level)
{
    while (!tables[level]) level = limn_cpu_level_find(level)->base;
    return tables[level];
}

#include "common/kernels/rows_grad.h"

#include "common/kernels/rows_grad_levels.h"

const limn_rows_grad *limn_rows_grad_choose(limn_cpu_level level)
{
#if HAVE_X86_KERNELS
    if (level >= LIMN_CPU_AVX2) return &limn_rows_grad_avx2;
#endif
    (void)level;
    return &limn_rows_grad_c;
}

#include "common/kernels/cpu_level.h"
#include "common/kernels/weigh_rows.h"

limn_weigh_rows_fn *limn_weigh_rows_choose(void)
{
#if HAVE_X86_KERNELS
    if (limn_cpu_level_runs(LIMN_CPU_AVX2)) return limn_weigh_rows_avx2;
#endif
    return limn_weigh_rows_c;
}

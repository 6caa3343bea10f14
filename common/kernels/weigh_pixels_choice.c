#include "common/kernels/cpu_level.h"
#include "common/kernels/weigh_pixels.h"

limn_weigh_pixels_fn *limn_weigh_pixels_choose(void)
{
#if HAVE_X86_KERNELS
    if (limn_cpu_level_runs(LIMN_CPU_AVX512)) return limn_weigh_pixels_avx512;
#endif
    return limn_weigh_pixels_c;
}

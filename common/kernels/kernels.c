#include "common/kernels/kernels.h"

#include "common/kernels/kernel_levels.h"

#if HAVE_X86_KERNELS
static void use_avx2(limn_kernels *k)
{
    k->linear = limn_linear_avx2;
}
#endif

void limn_kernels_init(limn_kernels *k, limn_cpu_level level)
{
    *k = (limn_kernels){
        .level = level,
        .linear = limn_linear_c,
        .depthwise = limn_depthwise_c,
    };
#if HAVE_X86_KERNELS
    if (level >= LIMN_CPU_AVX2)
        use_avx2(k);
#endif
}

#include "common/kernels/kernels.h"

#include "common/kernels/kernel_levels.h"

#if HAVE_X86_KERNELS
static void use_avx2(limn_kernels *k)
{
    k->linear = limn_linear_avx2;
    k->depthwise = limn_depthwise_avx2;
    k->layer_norm = limn_layer_norm_avx2;
    k->softmax = limn_softmax_avx2;
    k->log_sum_exp = limn_log_sum_exp_avx2;
    k->attend = limn_attend_avx2;
}

static void use_avx512(limn_kernels *k)
{
    k->linear = limn_linear_avx512;
}
#endif

void limn_kernels_init(limn_kernels *k, limn_cpu_level level)
{
    *k = (limn_kernels){
        .level = level,
        .linear = limn_linear_c,
        .depthwise = limn_depthwise_c,
        .layer_norm = limn_layer_norm_c,
        .softmax = limn_softmax_c,
        .log_sum_exp = limn_log_sum_exp_c,
        .attend = limn_attend_c,
    };
#if HAVE_X86_KERNELS
    if (level >= LIMN_CPU_AVX2) use_avx2(k);
    if (level >= LIMN_CPU_AVX512) use_avx512(k);
#endif
}

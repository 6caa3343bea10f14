#include "common/kernels/kernels.h"

#include "common/kernels/kernel_levels.h"

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
}

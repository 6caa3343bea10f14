/* What each CPU level puts into the table. Only kernels.c and the levels' own files
 * include this. A level overrides only what it has; the rest stays as the level before left it. */
#ifndef LIMN_COMMON_KERNELS_KERNEL_LEVELS_H
#define LIMN_COMMON_KERNELS_KERNEL_LEVELS_H

#include "common/kernels/kernels.h"

limn_linear_fn limn_linear_c, limn_linear_avx2, limn_linear_avx512;
limn_depthwise_fn limn_depthwise_c, limn_depthwise_avx2;
limn_layer_norm_fn limn_layer_norm_c, limn_layer_norm_avx2;
limn_softmax_fn limn_softmax_c, limn_softmax_avx2;
limn_log_sum_exp_fn limn_log_sum_exp_c, limn_log_sum_exp_avx2;
limn_attend_fn limn_attend_c, limn_attend_avx2;

#endif

/* What rows_grad.c and attention_grad.c define when compiled for a CPU level, and what a file of
 * each level defines. Only these files and rows_grad_choice.c include this. */
#ifndef LIMN_COMMON_KERNELS_ROWS_GRAD_LEVELS_H
#define LIMN_COMMON_KERNELS_ROWS_GRAD_LEVELS_H

#include "common/kernels/c/level_name.h"
#include "common/kernels/rows_grad.h"

extern const limn_rows_grad limn_rows_grad_c, limn_rows_grad_avx2, limn_rows_grad_avx512;
limn_attention_forward_fn limn_attention_forward_c, limn_attention_forward_avx2,
    limn_attention_forward_avx512;
limn_attention_backward_fn limn_attention_backward_c, limn_attention_backward_avx2,
    limn_attention_backward_avx512;
limn_depthwise_grad_fn limn_depthwise_grad_c, limn_depthwise_grad_avx2, limn_depthwise_grad_avx512;
limn_weight_grad_fn limn_weight_grad_c, limn_weight_grad_avx2, limn_weight_grad_avx512;

#endif

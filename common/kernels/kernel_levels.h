/* What the CPU levels put into the table of kernels. Only the levels' own files and those that
 * choose among them include this. */
#ifndef LIMN_COMMON_KERNELS_KERNEL_LEVELS_H
#define LIMN_COMMON_KERNELS_KERNEL_LEVELS_H

#include <stdbool.h>

#include "common/kernels/kernels.h"

limn_linear_fn limn_linear_c, limn_linear_sse41, limn_linear_avx2, limn_linear_avx512;
bool limn_linear_short_sse41(const limn_linear_job *job); /* false: not done */
limn_linear_fn limn_linear_int8_c, limn_linear_int8_sse41, limn_linear_int8_avx2,
    limn_linear_int8_avxvnni, limn_linear_int8_avx512, limn_linear_int8_avx512vnni;
limn_linear_codes_fn limn_linear_codes_c, limn_linear_codes_sse41, limn_linear_codes_avx2,
    limn_linear_codes_avxvnni, limn_linear_codes_avx512, limn_linear_codes_avx512vnni;
limn_encode_rows_fn limn_encode_rows_c, limn_encode_rows_sse41, limn_encode_rows_avx2,
    limn_encode_rows_words_avx2, limn_encode_rows_avx512vnni;
limn_depthwise_fn limn_depthwise_c, limn_depthwise_sse41, limn_depthwise_codes_sse41,
    limn_depthwise_avx2, limn_depthwise_avxvnni, limn_depthwise_avx512, limn_depthwise_avx512vnni;
limn_max_pool_fn limn_max_pool_c, limn_max_pool_sse41, limn_max_pool_avx2, limn_max_pool_avx512;
limn_layer_norm_fn limn_layer_norm_c, limn_layer_norm_sse41, limn_layer_norm_avx2,
    limn_layer_norm_avx512;
limn_softmax_fn limn_softmax_c, limn_softmax_sse41, limn_softmax_avx2, limn_softmax_avx512;
limn_log_sum_exp_fn limn_log_sum_exp_c, limn_log_sum_exp_sse41, limn_log_sum_exp_avx2,
    limn_log_sum_exp_avx512;
limn_attend_fn limn_attend_c, limn_attend_sse41, limn_attend_avx2, limn_attend_avx512;
limn_widen_fn limn_widen_c, limn_widen_avx2;

#endif

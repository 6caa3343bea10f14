/* The table of CPU levels, and what each puts into the table of kernels. Only cpu_level.c,
 * kernels.c and the levels' own files include this.
 *
 * A level more is a value of limn_cpu_level, a row in cpu_level.c, and a file in the folder of its
 * CPU family with limn_level_NAME and its functions. */
#ifndef LIMN_COMMON_KERNELS_KERNEL_LEVELS_H
#define LIMN_COMMON_KERNELS_KERNEL_LEVELS_H

#include <stdbool.h>

#include "common/kernels/kernels.h"

typedef struct limn_cpu_level_row {
    const char *name;
    bool (*runs_here)(void);
    void (*fill)(limn_kernels *k); /* sets what this level has; the base's stays for the rest */
    limn_cpu_level base; /* whose functions run where this level does; plain C is its own */
} limn_cpu_level_row;

extern const limn_cpu_level_row limn_level_c, limn_level_avx2, limn_level_avx512;

/* The row of a level; NULL when this build lacks it. */
const limn_cpu_level_row *limn_cpu_level_find(limn_cpu_level level);

limn_linear_fn limn_linear_c, limn_linear_avx2, limn_linear_avx512;
limn_depthwise_fn limn_depthwise_c, limn_depthwise_avx2;
limn_max_pool_fn limn_max_pool_c, limn_max_pool_avx2;
limn_layer_norm_fn limn_layer_norm_c, limn_layer_norm_avx2;
limn_softmax_fn limn_softmax_c, limn_softmax_avx2;
limn_log_sum_exp_fn limn_log_sum_exp_c, limn_log_sum_exp_avx2;
limn_attend_fn limn_attend_c, limn_attend_avx2;

#endif

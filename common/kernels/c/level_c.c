/* The level of plain C, which is the specification of all others. */
#include "common/kernels/cpu_level_row.h"
#include "common/kernels/kernel_levels.h"

static bool runs_everywhere(void)
{
    return true;
}

static void fill(limn_kernels *k)
{
    k->linear[LIMN_F32] = k->linear[LIMN_F16] = limn_linear_c;
    k->linear[LIMN_I8] = limn_linear_int8_c;
    k->code_size = 1;
    k->linear_codes = limn_linear_codes_c;
    k->encode_rows = limn_encode_rows_c;
    k->depthwise = limn_depthwise_c;
    k->max_pool = limn_max_pool_c;
    k->layer_norm = limn_layer_norm_c;
    k->softmax = limn_softmax_c;
    k->log_sum_exp = limn_log_sum_exp_c;
    k->attend = limn_attend_c;
    k->widen = limn_widen_c;
}

const limn_cpu_level_row limn_level_c = { "c", runs_everywhere, fill, LIMN_CPU_C };

/* The levels of x86-64: the CPU features they need and the functions they provide. */
#include <cpuid.h>

#include "common/kernels/cpu_level_row.h"
#include "common/kernels/kernel_levels.h"

static bool has_sse41(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.1");
}

static void fill_sse41(limn_kernels *k)
{
    k->linear[LIMN_F32] = k->linear[LIMN_F16] = limn_linear_sse41;
    k->linear[LIMN_I8] = limn_linear_int8_sse41;
    k->code_size = 2;
    k->linear_codes = limn_linear_codes_sse41;
    k->encode_rows = limn_encode_rows_sse41;
    k->depthwise = limn_depthwise_sse41;
    k->max_pool = limn_max_pool_sse41;
    k->layer_norm = limn_layer_norm_sse41;
    k->softmax = limn_softmax_sse41;
    k->log_sum_exp = limn_log_sum_exp_sse41;
    k->attend = limn_attend_sse41;
}

/* clang 14's __builtin_cpu_supports does not know f16c. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static void fill_avx2(limn_kernels *k)
{
    k->linear[LIMN_F32] = k->linear[LIMN_F16] = limn_linear_avx2;
    k->linear[LIMN_I8] = limn_linear_int8_avx2;
    k->code_size = 2;
    k->linear_codes = limn_linear_codes_avx2;
    k->encode_rows = limn_encode_rows_words_avx2;
    k->depthwise = limn_depthwise_avx2;
    k->max_pool = limn_max_pool_avx2;
    k->layer_norm = limn_layer_norm_avx2;
    k->softmax = limn_softmax_avx2;
    k->log_sum_exp = limn_log_sum_exp_avx2;
    k->attend = limn_attend_avx2;
    k->widen = limn_widen_avx2;
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static void fill_avx512(limn_kernels *k)
{
    k->linear[LIMN_F32] = limn_linear_avx512;
    k->linear[LIMN_I8] = limn_linear_int8_avx512;
    k->linear_codes = limn_linear_codes_avx512;
    k->depthwise = limn_depthwise_avx512;
    k->max_pool = limn_max_pool_avx512;
    k->layer_norm = limn_layer_norm_avx512;
    k->softmax = limn_softmax_avx512;
    k->log_sum_exp = limn_log_sum_exp_avx512;
    k->attend = limn_attend_avx512;
}

static unsigned leaf_7_1_eax(void)
{
    unsigned a = 0, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) ? a : 0;
}

static bool has_avxvnni(void)
{
    return has_avx2() && (leaf_7_1_eax() >> 4 & 1);
}

static void fill_avxvnni(limn_kernels *k)
{
    k->linear[LIMN_I8] = limn_linear_int8_avxvnni;
    k->code_size = 1;
    k->linear_codes = limn_linear_codes_avxvnni;
    k->encode_rows = limn_encode_rows_avx2;
    k->depthwise = limn_depthwise_avxvnni;
}

static bool has_avx512vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

static void fill_avx512vnni(limn_kernels *k)
{
    k->linear[LIMN_I8] = limn_linear_int8_avx512vnni;
    k->code_size = 1;
    k->linear_codes = limn_linear_codes_avx512vnni;
    k->encode_rows = limn_encode_rows_avx512vnni;
    k->depthwise = limn_depthwise_avx512vnni;
}

const limn_cpu_level_row limn_level_sse41 = { "sse41", has_sse41, fill_sse41, LIMN_CPU_C };
const limn_cpu_level_row limn_level_avx2 = { "avx2", has_avx2, fill_avx2, LIMN_CPU_C };
const limn_cpu_level_row limn_level_avxvnni = { "avxvnni", has_avxvnni, fill_avxvnni,
                                                LIMN_CPU_AVX2 };
const limn_cpu_level_row limn_level_avx512 = { "avx512", has_avx512, fill_avx512, LIMN_CPU_AVX2 };
const limn_cpu_level_row limn_level_avx512vnni = { "avx512vnni", has_avx512vnni, fill_avx512vnni,
                                                   LIMN_CPU_AVX512 };

#include "common/base/cpu.h"

#include <stdio.h>
#include <string.h>
#if HAVE_X86_KERNELS
#include <cpuid.h>
#endif

static const char *const level_names[LIMN_N_CPU_LEVELS] = {
    [LIMN_CPU_C] = "c",
    [LIMN_CPU_AVX2] = "avx2",
    [LIMN_CPU_AVX512] = "avx512",
};

#if HAVE_X86_KERNELS
/* clang 14's __builtin_cpu_supports does not know this one. */
static int has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

limn_cpu_level limn_cpu_best(void)
{
#if HAVE_X86_KERNELS
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return LIMN_CPU_C;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return LIMN_CPU_AVX2;
    return LIMN_CPU_AVX512;
#else
    return LIMN_CPU_C;
#endif
}

const char *limn_cpu_level_name(limn_cpu_level level)
{
    return (unsigned)level < LIMN_N_CPU_LEVELS ? level_names[level] : "unknown";
}

limn_status limn_cpu_level_parse(limn_cpu_level *out, const char *name, limn_error *err)
{
    const limn_cpu_level best = limn_cpu_best();
    char valid[64] = "";
    if (!name || !*name) {
        *out = best;
        return LIMN_OK;
    }
    for (int i = 0; i <= (int)best; i++) {
        const size_t used = strlen(valid);
        if (strcmp(name, level_names[i]) == 0) {
            *out = (limn_cpu_level)i;
            return LIMN_OK;
        }
        snprintf(valid + used, sizeof valid - used, "%s%s", i ? ", " : "", level_names[i]);
    }
    return limn_fail(err, LIMN_E_ARG, "CPU level '%s' is not available here; this machine has %s",
                     name, valid);
}

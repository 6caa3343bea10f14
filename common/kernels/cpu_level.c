#include "common/kernels/cpu_level.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/kernels/cpu_level_row.h"

/* NULL: not in this build. */
static const limn_cpu_level_row *const levels[LIMN_N_CPU_LEVELS] = {
    [LIMN_CPU_C] = &limn_level_c,
#if HAVE_X86_KERNELS
    [LIMN_CPU_SSE41] = &limn_level_sse41,
    [LIMN_CPU_AVX2] = &limn_level_avx2,
    [LIMN_CPU_AVXVNNI] = &limn_level_avxvnni,
    [LIMN_CPU_AVX512] = &limn_level_avx512,
    [LIMN_CPU_AVX512VNNI] = &limn_level_avx512vnni,
#endif
};

const limn_cpu_level_row *limn_cpu_level_find(limn_cpu_level level)
{
    return (unsigned)level < LIMN_N_CPU_LEVELS ? levels[level] : NULL;
}

bool limn_cpu_level_runs(limn_cpu_level level)
{
    const limn_cpu_level_row *row = limn_cpu_level_find(level);
    return row && row->runs_here();
}

limn_cpu_level limn_cpu_best(void)
{
    int best = LIMN_N_CPU_LEVELS - 1;
    while (!limn_cpu_level_runs((limn_cpu_level)best)) best--; /* plain C runs everywhere */
    return (limn_cpu_level)best;
}

const char *limn_cpu_level_name(limn_cpu_level level)
{
    const limn_cpu_level_row *row = limn_cpu_level_find(level);
    return row ? row->name : "unknown";
}

static const char *names_here[LIMN_N_CPU_LEVELS + 1]; /* set once */
static pthread_once_t names_are_set = PTHREAD_ONCE_INIT;

static void set_names(void)
{
    size_t n = 0;
    for (int i = 0; i < LIMN_N_CPU_LEVELS; i++)
        if (limn_cpu_level_runs((limn_cpu_level)i)) names_here[n++] = levels[i]->name;
}

const char *const *limn_cpu_level_names(void)
{
    pthread_once(&names_are_set, set_names);
    return names_here;
}

limn_status limn_cpu_level_parse(limn_cpu_level *out, const char *name, limn_error *err)
{
    char valid[128] = "";
    *out = limn_cpu_best();
    if (!name || !*name) return LIMN_OK;
    for (int i = 0; i < LIMN_N_CPU_LEVELS; i++) {
        const size_t used = strlen(valid);
        if (!limn_cpu_level_runs((limn_cpu_level)i)) continue;
        if (strcmp(name, levels[i]->name) == 0) {
            *out = (limn_cpu_level)i;
            return LIMN_OK;
        }
        snprintf(valid + used, sizeof valid - used, "%s%s", used > 0 ? ", " : "", levels[i]->name);
    }
    return limn_fail(err, LIMN_E_ARG, "CPU level '%s' is not available here; this machine has %s",
                     name, valid);
}

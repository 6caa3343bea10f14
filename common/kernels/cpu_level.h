/* CPU levels: which kernels may run here. */
#ifndef LIMN_COMMON_KERNELS_CPU_LEVEL_H
#define LIMN_COMMON_KERNELS_CPU_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

/* Slowest first. A machine may lack one in the middle: ask limn_cpu_level_runs. */
typedef enum limn_cpu_level {
    LIMN_CPU_C = 0,      /* plain C: the specification */
    LIMN_CPU_SSE41,      /* SSE4.1 (and what comes before it); fused multiply-adds are emulated */
    LIMN_CPU_AVX2,       /* AVX2, FMA and F16C */
    LIMN_CPU_AVXVNNI,    /* the above and AVX-VNNI: dot products of bytes */
    LIMN_CPU_AVX512,     /* AVX-512 F, BW, DQ, VL; not AVX-VNNI */
    LIMN_CPU_AVX512VNNI, /* the above and AVX-512 VNNI */
    LIMN_N_CPU_LEVELS,
} limn_cpu_level;

/* Whether this machine has the level and this build contains it. */
bool limn_cpu_level_runs(limn_cpu_level level);
/* The last level that runs here. */
limn_cpu_level limn_cpu_best(void);

/* "c", "sse41", "avx2", "avxvnni", "avx512", "avx512vnni"; "unknown" for anything else.
 * Static storage. */
const char *limn_cpu_level_name(limn_cpu_level level);
/* The names of the levels that run here, ended by NULL. Static storage. */
const char *const *limn_cpu_level_names(void);

/* NULL or "" names the best level. LIMN_E_ARG for an unknown name, or for a level that this machine
 * or build lacks; the text says which run here. */
limn_status limn_cpu_level_parse(limn_cpu_level *out, const char *name, limn_error *err);

#endif

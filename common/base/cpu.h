/* CPU levels: which kernels may run here. */
#ifndef LIMN_COMMON_BASE_CPU_H
#define LIMN_COMMON_BASE_CPU_H

#include <stddef.h>

#include "common/base/status.h"

/* In increasing order; a level includes the ones before it. */
typedef enum limn_cpu_level {
    LIMN_CPU_C = 0,  /* plain C: the specification */
    LIMN_CPU_AVX2,   /* AVX2, FMA, F16C */
    LIMN_CPU_AVX512, /* AVX-512 F, BW, DQ, VL */
    LIMN_N_CPU_LEVELS,
} limn_cpu_level;

/* The best level that this machine has and this build contains. */
limn_cpu_level limn_cpu_best(void);

/* "c", "avx2", "avx512". Static storage. */
const char *limn_cpu_level_name(limn_cpu_level level);

/* NULL or "" names the best level. LIMN_E_ARG for an unknown name, or for a level
 * that this machine or build lacks; the text lists the valid ones. */
limn_status limn_cpu_level_parse(limn_cpu_level *out, const char *name, limn_error *err);

#endif

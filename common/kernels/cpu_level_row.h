/* The table of CPU levels. Only cpu_level.c, kernels.c and the levels' own files include this.
 *
 * To add a level: add a value to limn_cpu_level, a row in cpu_level.c, and a file in the folder of
 * its CPU family that defines limn_level_NAME and its functions. */
#ifndef LIMN_COMMON_KERNELS_CPU_LEVEL_ROW_H
#define LIMN_COMMON_KERNELS_CPU_LEVEL_ROW_H

#include <stdbool.h>

#include "common/kernels/cpu_level.h"

struct limn_kernels; /* kernels.h */

typedef struct limn_cpu_level_row {
    const char *name;
    bool (*runs_here)(void);
    void (*fill)(
        struct limn_kernels *k); /* sets what this level has; all else stays as the base set it */
    limn_cpu_level base;         /* runs wherever this level does; plain C is its own base */
} limn_cpu_level_row;

extern const limn_cpu_level_row limn_level_c, limn_level_sse41, limn_level_avx2, limn_level_avxvnni,
    limn_level_avx512, limn_level_avx512vnni;

/* The row of a level; NULL when this build lacks it. */
const limn_cpu_level_row *limn_cpu_level_find(limn_cpu_level level);

#endif

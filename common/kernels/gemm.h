/* Matrix products of training tag heads: the only file that calls OpenBLAS.
 *
 * Networks do not use it: its results for a row depend on how many rows there are, and on the CPU;
 * it knows only CPUs older than itself, and is slow on others.
 *
 * A product is split into tiles that depend on its shape only, and each tile is one single-threaded
 * BLAS call; so the bits do not depend on the number of threads. They may depend on the CPU. */
#ifndef LIMN_COMMON_KERNELS_GEMM_H
#define LIMN_COMMON_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/pool.h"

/* Makes BLAS calls single-threaded. Call it once, from one thread, before the first limn_gemm.
 * LIMN_E_UNSUPPORTED when this OpenBLAS (built with OpenMP) does not obey. */
limn_status limn_gemm_init(limn_error *err);

/* c = op(a) op(b); all row-major and dense.
 * op(a) is [m, k]: a is [m, k], or [k, m] when a_is_transposed; op(b) is [k, n]: b is [k, n], or
 * [n, k] when b_is_transposed. c is [m, n] and overlaps neither. `pool` may be NULL. */
typedef struct limn_gemm_job {
    float *c;       /* [m, n] */
    const float *a; /* [m, k] or [k, m] */
    const float *b; /* [k, n] or [n, k] */
    size_t m, n, k;
    bool a_is_transposed, b_is_transposed;
} limn_gemm_job;

void limn_gemm(limn_pool *pool, const limn_gemm_job *job);

#endif

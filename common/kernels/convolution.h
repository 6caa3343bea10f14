/* Convolution of a map with channels last, as products of limn_linear on patches:
 *
 *     x [height, width, n_inputs] ─▶ patches [rows, output_width, kernel, kernel, n_inputs]
 *                                 ─▶ y [output_height, output_width, n_outputs]
 *
 * For each output row i, column j and output o, with zeros for x outside the map,
 *
 *     acc = bias[o]; for ky, for kx, for c in order:
 *         acc = fma(x[i*stride + ky - n_before][j*stride + kx - n_before][c], w[o][ky][kx][c], acc)
 *
 * in blocks of LIMN_SUM_BLOCK products, then activation and residual, as in limn_linear_job.
 * Patches are built for as many rows as stay in the L2 cache, and not at all where a patch is a
 * single position (1x1, stride 1). Blocks are the same everywhere, so the result is the same bits
 * for any number of threads, strip height and CPU level. */
#ifndef LIMN_COMMON_KERNELS_CONVOLUTION_H
#define LIMN_COMMON_KERNELS_CONVOLUTION_H

#include "common/base/pool.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"

typedef struct limn_convolution {
    size_t width, height, n_inputs; /* of the input map */
    size_t output_width, output_height, n_outputs;
    size_t kernel, stride;
    size_t n_before;   /* zeros above and left of the map */
    size_t strip_rows; /* output rows whose patches are made together; 0: no patches */
} limn_convolution;

/* Fills in the output sizes and strip_rows of a shape whose other members are set, with n_before
 * zeros on every side, as PyTorch does: floor((size + 2 n_before - kernel) / stride) + 1. kernel <=
 * size + 2 n_before. */
void limn_convolution_plan(limn_convolution *c);
/* Floats of its patches, the scratch that limn_convolution_run needs. */
size_t limn_convolution_patch_floats(const limn_convolution *c);

typedef struct limn_convolution_job {
    const limn_convolution *shape;
    float *y;              /* [output_height, output_width, n_outputs] */
    const float *x;        /* [height, width, n_inputs] */
    const float *residual; /* as y, may be y; or NULL */
    const limn_packed *w;  /* n_inputs = kernel * kernel * shape->n_inputs (LIMN_ROW_CONVOLUTION) */
    limn_activation activation;
    float *patches; /* scratch */
} limn_convolution_job;

/* `pool` (may be NULL) shares the work out. */
void limn_convolution_run(const limn_kernels *k, limn_pool *pool, const limn_convolution_job *job);

#endif

/* Products and norms of many rows, split among threads: the building blocks of transformers.
 *
 * Work is split by rows and by panels of outputs, never within a sum, so the result is the same
 * bits for any number of threads. */
#ifndef LIMN_COMMON_KERNELS_PRODUCT_H
#define LIMN_COMMON_KERNELS_PRODUCT_H

#include "common/base/pool.h"
#include "common/kernels/kernels.h"

/* What products run with. `widened` (may be NULL) is room for F16 weights widened to f32: where
 * many rows share them, they are widened once rather than once per tile of rows. */
typedef struct limn_runner {
    const limn_kernels *kernels;
    limn_pool *pool;  /* NULL: this thread alone */
    float *widened;   /* [n_widened], LIMN_ALIGNMENT */
    size_t n_widened; /* floats */
} limn_runner;

/* The useful size of `widened`, in floats, for weights of n_outputs x n_inputs. */
size_t limn_widened_floats(size_t n_outputs, size_t n_inputs);

/* Computes all outputs of a job (its panel range is ignored). */
void limn_product(const limn_runner *runner, limn_linear_job job);

/* From this many inputs on, dense jobs are summed in blocks of LIMN_SUM_BLOCK (kernels.h). Products
 * of training never are. */
enum { LIMN_LONG_SUM = 2048 };

/* A job of dense rows: y [n_rows, n_outputs] = x [n_rows, n_inputs] Wᵀ + b. */
limn_linear_job limn_dense_job(float *y, const float *x, size_t n_rows, const limn_packed *w);

/* Layer norm of rows [n_rows, dim]: limn_layer_norm_fn. y may equal x. */
void limn_norm_rows(const limn_runner *runner, float *y, const float *x, const float *gamma,
                    const float *beta, float eps, size_t n_rows, size_t dim);

#endif

/* The layers of networks in training: each forward pass keeps what its backward pass needs.
 * Rows, columns or captions are split among the threads of a pool, never a sum. */
#ifndef LIMN_COMMON_KERNELS_LAYERS_GRAD_H
#define LIMN_COMMON_KERNELS_LAYERS_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/kernels/rows_grad.h"

/* A parameter in training. */
typedef struct limn_weight {
    float *value, *gradient; /* same shape */
} limn_weight;

typedef struct limn_linear_params {
    limn_weight weight; /* [n_out, n_in] */
    limn_weight bias;   /* [n_out] */
    size_t n_out, n_in;
} limn_linear_params;

typedef struct limn_norm_params {
    limn_weight gamma, beta; /* [dim] */
    size_t dim;
} limn_norm_params;

typedef struct limn_layer_ctx {
    limn_pool *pool; /* or NULL */
    const limn_rows_grad *rows;
} limn_layer_ctx;

/* y [n_rows, n_out] = x Wᵀ + b; x [n_rows, n_in] */
void limn_linear_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n_rows,
                         const limn_linear_params *p);
/* Adds to the gradients of weight and bias; dx [n_rows, n_in] (may be NULL) is written, or added to
 * when `accumulates`. */
void limn_linear_backward(const limn_layer_ctx *ctx, float *dx, bool accumulates, const float *dy,
                          const float *x, size_t n_rows, const limn_linear_params *p);

/* y [n_rows, dim]; stats [n_rows, 2] is kept for the backward pass. */
void limn_norm_forward(const limn_layer_ctx *ctx, float *y, float *stats, const float *x,
                       size_t n_rows, const limn_norm_params *p);
/* Adds to the gradients of gamma and beta and to dx [n_rows, dim]. */
void limn_norm_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        const float *stats, size_t n_rows, const limn_norm_params *p);

/* y [n] = gelu(x [n]); dx [n] = dy * gelu'(x) (dx may equal dy). */
void limn_gelu_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n);
void limn_gelu_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        size_t n);

/* In place on x [n]; does nothing at rate 0. The same (key, rate) masks the gradient. */
void limn_dropout_apply(const limn_layer_ctx *ctx, float *x, size_t n, uint64_t key, float rate);

/* y [n] += x [n] */
void limn_add_to(const limn_layer_ctx *ctx, float *y, const float *x, size_t n);

#endif

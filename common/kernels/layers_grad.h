/* The layers of networks in training: each forward pass keeps what its backward pass needs.
 * Rows, columns or captions are split among the threads of a pool, never a sum. */
#ifndef LIMN_COMMON_KERNELS_LAYERS_GRAD_H
#define LIMN_COMMON_KERNELS_LAYERS_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "common/kernels/rows_grad.h"

/* A parameter in training. */
typedef struct limn_weight {
    float *value, *gradient; /* same shape */
} limn_weight;

/* Products with the weights use the inference kernels, so the weights are packed before each
 * pass. */
typedef struct limn_linear_params {
    limn_weight weight; /* [n_out, n_in] */
    limn_weight bias;   /* [n_out], or NULL */
    size_t n_out, n_in;
    limn_packed forward, backward; /* of weight and bias; of the weight's transpose */
} limn_linear_params;

typedef struct limn_norm_params {
    limn_weight gamma, beta; /* [dim] */
    size_t dim;
} limn_norm_params;

typedef struct limn_layer_ctx {
    limn_pool *pool; /* or NULL */
    const limn_rows_grad *rows;
    const limn_kernels *kernels;
} limn_layer_ctx;

/* Takes room for the packed weights from an arena, which may be counting. */
void limn_linear_take(limn_linear_params *p, limn_arena *arena, size_t n_out, size_t n_in,
                      bool has_bias);
/* Packs the current weights, on the calling thread. */
void limn_linear_pack(const limn_linear_params *p);

/* y [n_rows, n_out] = x Wᵀ + b; x [n_rows, n_in]. The same bits for any n_rows. */
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

/* Determines the dropout mask: the same numbers give the same mask, forward and backward. */
typedef struct limn_dropout {
    uint64_t key;
    float rate; /* 0: nothing is dropped */
} limn_dropout;

/* y [n] = dropout(x [n]) + residual [n] (NULL: nothing); y may equal x. */
void limn_dropout_apply(const limn_layer_ctx *ctx, float *y, const float *x, const float *residual,
                        size_t n, limn_dropout dropout);

/* y [n] = dropout(gelu(x [n])); dx [n] = dropout(dy) * gelu'(x) (dx may equal dy). */
void limn_gelu_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n,
                       limn_dropout dropout);
void limn_gelu_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        size_t n, limn_dropout dropout);

#endif

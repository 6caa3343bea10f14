/* Functions of training that are no matrix products, forward and backward: layer norm, GELU,
 * dropout, attention, softmax cross-entropy with label smoothing, depthwise convolution.
 *
 * Every function works on its own rows only, so callers split rows among threads and get the same
 * bits. Sums over a row use 16 lanes as in kernels.h. All CPU levels give the same bits. */
#ifndef LIMN_COMMON_KERNELS_ROWS_GRAD_H
#define LIMN_COMMON_KERNELS_ROWS_GRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cpu.h"

/* One group of query rows against one block of keys and values, all heads (Vaswani 2017, eq. 1). */
typedef struct limn_attention_shape {
    size_t n_rows;      /* queries */
    size_t n_positions; /* keys and values; equals n_rows when causal */
    size_t n_heads, dim;
    bool is_causal;     /* row i sees positions 0 … i */
} limn_attention_shape;

/* y [n_rows, dim]; probs [n_rows, n_heads, n_positions], 0 where a row does not see; q [n_rows,
 * dim]; k, v [n_positions, dim]. Sums over a head use 16 lanes, sums over positions go in order. */
typedef void limn_attention_forward_fn(float *y, float *probs, const float *q, const float *k,
                                       const float *v, const limn_attention_shape *shape);

/* dq [n_rows, dim] is written; dk, dv [n_positions, dim] are added to. scratch [n_positions]. */
typedef void limn_attention_backward_fn(float *dq, float *dk, float *dv, const float *dy,
                                        const float *probs, const float *q, const float *k,
                                        const float *v, float *scratch,
                                        const limn_attention_shape *shape);

/* A depthwise convolution of one picture, channels last, without what follows it. n_channels of
 * `dim` channels, so that callers split channels among threads by moving the pointers. */
typedef struct limn_depthwise_shape {
    size_t height, width, out_height, out_width;
    size_t n_channels, dim; /* dim: floats from one position to the next, of w too */
    size_t size, stride;    /* of the kernel */
    size_t pad_top, pad_left;
} limn_depthwise_shape;

/* y [out_height, out_width, dim] = bias + convolution of x [height, width, dim] with w [size,
 * size, dim]; taps in row order, by fused multiply-adds after the bias. */
typedef void limn_depthwise_forward_fn(float *y, const float *x, const float *w,
                                       const float *bias, const limn_depthwise_shape *shape);

/* From dy: adds to dx, dw and dbias, output positions in order. */
typedef void limn_depthwise_backward_fn(float *dx, float *dw, float *dbias, const float *dy,
                                        const float *x, const float *w,
                                        const limn_depthwise_shape *shape);

typedef struct limn_rows_grad {
    /* y = (x - mean) * rstd * gamma + beta for rows of `dim`; keeps mean and 1/std of each row in
     * stats [n_rows, 2]. */
    void (*layer_norm)(float *y, float *stats, const float *x, const float *gamma,
                       const float *beta, float eps, size_t n_rows, size_t dim);
    /* dx += d loss / d x, from dy and what the forward pass kept. */
    void (*layer_norm_dx)(float *dx, const float *dy, const float *x, const float *stats,
                          const float *gamma, size_t n_rows, size_t dim);
    /* dgamma, dbeta [n_columns] += sums over all rows in order, of columns column … column +
     * n_columns - 1; callers split columns among threads. */
    void (*layer_norm_dweight)(float *dgamma, float *dbeta, const float *dy, const float *x,
                               const float *stats, size_t n_rows, size_t dim, size_t column,
                               size_t n_columns);
    /* y [n] = gelu(x [n]) */
    void (*gelu)(float *y, const float *x, size_t n);
    /* dx [n] = dy [n] * gelu'(x [n]); dx may equal dy. */
    void (*gelu_dx)(float *dx, const float *dy, const float *x, size_t n);
    /* In place x [n] = min(max(x, 0), 6); dy [n] becomes 0 where y [n], its output, is 0 or 6. */
    void (*relu6)(float *x, size_t n);
    void (*relu6_dx)(float *dy, const float *y, size_t n);
    /* sums [n_columns] += sum over rows in order of x [n_rows, dim], from `column` on. */
    void (*column_sums)(float *sums, const float *x, size_t n_rows, size_t dim, size_t column,
                        size_t n_columns);
    /* In place x [n] *= keep(i) / (1 - rate), where keep(i) is decided by a counter-based random
     * number of (key, first + i): the backward pass calls it again on the gradient. */
    void (*dropout)(float *x, uint64_t key, uint64_t first, size_t n, float rate);
    /* Softmax cross-entropy of logits [n_rows, n_tokens] with label smoothing: the target's share
     * is 1 - smoothing, and smoothing / n_tokens is added to every token's. losses [n_rows] are
     * unweighted; logits are replaced by weights[r] (NULL = 1) * scale * d loss / d logits. */
    void (*cross_entropy)(float *logits, float *losses, const uint32_t *targets,
                          const float *weights, size_t n_rows, size_t n_tokens, float smoothing,
                          float scale);
    limn_attention_forward_fn *attention_forward;
    limn_attention_backward_fn *attention_backward;
    limn_depthwise_forward_fn *depthwise_forward;
    limn_depthwise_backward_fn *depthwise_backward;
} limn_rows_grad;

/* The functions of a level that is available here. Static storage. */
const limn_rows_grad *limn_rows_grad_choose(limn_cpu_level level);

#endif

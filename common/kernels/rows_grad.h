/* Functions of training other than products with weights: gradients of weights, layer norm, GELU,
 * dropout, attention, softmax cross-entropy with label smoothing, and, backward only, ReLU6 and
 * depthwise convolution.
 *
 * Every sum is within a row, or over all rows in order: callers split rows or columns among threads
 * and get the same bits. Sums over a row use 16 lanes as in kernels.h. All CPU levels give the same
 * bits. */
#ifndef LIMN_COMMON_KERNELS_ROWS_GRAD_H
#define LIMN_COMMON_KERNELS_ROWS_GRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kernels/cpu_level.h"

/* Self-attention of one caption, all heads: row i sees rows 0 … i (Vaswani 2017, eq. 1). */
typedef struct limn_attention_shape {
    size_t n_rows, n_heads, dim;
} limn_attention_shape;

/* y, q, k, v [n_rows, dim]; probs [n_rows, n_heads, n_rows], 0 for positions that a row does not
 * see. Sums over a head use 16 lanes, sums over rows go in order. */
typedef void limn_attention_forward_fn(float *y, float *probs, const float *q, const float *k,
                                       const float *v, const limn_attention_shape *shape);

/* dq [n_rows, dim] is written; dk, dv [n_rows, dim] are added to. scratch [n_rows]. */
typedef void limn_attention_backward_fn(float *dq, float *dk, float *dv, const float *dy,
                                        const float *probs, const float *q, const float *k,
                                        const float *v, float *scratch,
                                        const limn_attention_shape *shape);

/* Backward of one output row of a depthwise convolution (limn_depthwise_job of kernels.h, dense and
 * without its ReLU6). For each kernel row ky that is not NULL, column j, kx and channel c, with
 * i = (j*stride + kx)*n_channels + c and t = (ky*size + kx)*n_channels + c,
 *
 *     dx_rows[ky][i] = fma(dy[j][c], w[t], dx_rows[ky][i])
 *     dw[t] = fma(dy[j][c], x_rows[ky][i], dw[t])
 *     dbias[c] += dy[j][c], once for all ky
 *
 * Columns in order, so each sum has the order of output rows and columns. */
typedef struct limn_depthwise_grad_job {
    float *const *dx_rows;      /* [size] rows with edges as in x_rows, of any content */
    const float *const *x_rows; /* [size], NULL above and below the map */
    const float *w;             /* [size, size, n_channels] */
    float *dw;                  /* [size, size, n_channels] */
    float *dbias;               /* [n_channels] */
    const float *dy;            /* [n_columns, n_channels] */
    size_t n_columns, n_channels, size, stride; /* size 3 or 5, stride 1 or 2 */
} limn_depthwise_grad_job;

typedef void limn_depthwise_grad_fn(const limn_depthwise_grad_job *job);

/* The gradient of a product's weights: for each output o and input i,
 *
 *     for r in 0 … n_rows-1 in order: dw[o][i] = fma(dy[r][o], x[r][i], dw[o][i])
 *
 * Each gradient is a sum of its own, so callers split outputs and inputs as they like. Nothing
 * overlaps. */
typedef struct limn_weight_grad_job {
    float *dw;       /* [n_outputs, n_inputs] at dw_stride */
    const float *dy; /* [n_rows, n_outputs] at dy_stride */
    const float *x;  /* [n_rows, n_inputs] at x_stride */
    size_t n_outputs, n_inputs, n_rows;
    size_t dw_stride, dy_stride, x_stride;
} limn_weight_grad_job;

/* The outputs and inputs that vector kernels take at once, and that a thread computes at a time. */
enum { LIMN_WEIGHT_GRAD_OUTPUTS = 196, LIMN_WEIGHT_GRAD_INPUTS = 384 };

typedef void limn_weight_grad_fn(const limn_weight_grad_job *job);

/* One step of AdamW: with g = gradient * clip, element by element,
 *
 *     m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²
 *     value = keep * value - size * m / (sqrt(v) / root + epsilon)
 *     average += (1 - average_decay) (value - average) */
typedef struct limn_adamw_rates {
    float beta1, beta2, epsilon, clip;
    float keep;       /* 1 - rate * weight decay */
    float size, root; /* rate / (1 - beta1^step), sqrt(1 - beta2^step) */
    float average_decay;
} limn_adamw_rates;

typedef struct limn_rows_grad {
    /* y = (x - mean) * rstd * gamma + beta for rows of `dim`; keeps mean and 1/std of each row in
     * stats [n_rows, 2]. */
    void (*layer_norm)(float *y, float *stats, const float *x, const float *gamma,
                       const float *beta, float eps, size_t n_rows, size_t dim);
    /* dx += d loss / d x, from dy and the stats of the forward pass. */
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
    /* dx [n] = dy [n], or 0 where the output y [n] of ReLU6 is 0 or 6; dx may equal dy. */
    void (*relu6_dx)(float *dx, const float *dy, const float *y, size_t n);
    /* sums [n_columns] += sum over rows in order of x [n_rows, dim], from `column` on. */
    void (*column_sums)(float *sums, const float *x, size_t n_rows, size_t dim, size_t column,
                        size_t n_columns);
    /* y [n] = x [n] * keep(i) / (1 - rate), where keep(i) is decided by a counter-based random
     * number of (key, first + i): the backward pass calls it again on the gradient. y may equal
     * x. */
    void (*dropout)(float *y, const float *x, uint64_t key, uint64_t first, size_t n, float rate);
    /* Softmax cross-entropy of logits [n_rows, n_tokens] with label smoothing: the target's share
     * is 1 - smoothing, and smoothing / n_tokens is added to every token's. losses [n_rows] are
     * unweighted; logits are replaced by weights[r] (NULL = 1) * scale * d loss / d logits. */
    void (*cross_entropy)(float *logits, float *losses, const uint32_t *targets,
                          const float *weights, size_t n_rows, size_t n_tokens, float smoothing,
                          float scale);
    /* [n] each */
    void (*adamw)(float *value, float *m, float *v, float *average, const float *gradient, size_t n,
                  const limn_adamw_rates *rates);
    /* Sum of x [n] squared, in double with 16 lanes. */
    double (*squares)(const float *x, size_t n);
    limn_attention_forward_fn *attention_forward;
    limn_attention_backward_fn *attention_backward;
    limn_depthwise_grad_fn *depthwise;
    limn_weight_grad_fn *weight_grad;
} limn_rows_grad;

/* The functions of a level, which must run here. Static storage. */
const limn_rows_grad *limn_rows_grad_choose(limn_cpu_level level);

#endif

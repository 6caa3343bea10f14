/* The compute kernels: one table of functions, filled for a CPU level.
 *
 * Order contract. Every sum below has one fixed order, stated with the function, and
 * every multiply-add is fused (fmaf). So each level gives the same bits as plain C, for any number
 * of rows, threads or images; tests compare them with memcmp. The C implementation (c/) is the
 * specification; x86/ holds the levels of x86-64.
 *
 * All functions are re-entrant, allocate nothing, and can't fail. Pointers need no
 * alignment unless said. Nothing may overlap unless said. */
#ifndef LIMN_COMMON_KERNELS_KERNELS_H
#define LIMN_COMMON_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/cpu_level.h"
#include "common/kernels/pack.h"

typedef enum limn_activation {
    LIMN_ACT_NONE = 0,
    LIMN_ACT_RELU6,       /* min(max(v, 0), 6) */
    LIMN_ACT_GELU,        /* v * (1 + erf(v / sqrt 2)) / 2, with limn_erff of math_c.h */
    LIMN_ACT_RELU,        /* max(v, 0) */
    LIMN_ACT_GELU_TANH,   /* v * (1 + tanh(sqrt(2/pi) * (v + 0.044715 v^3))) / 2: GPT-2's */
    LIMN_ACT_QUICK_GELU,  /* v / (1 + exp(-1.702 v)): CLIP's */
    LIMN_ACT_RELU_OF_SUM, /* max(v + residual, 0); needs a residual */
    LIMN_N_ACTIVATIONS,
} limn_activation;

/* The block of all blocked sums (below). With it, features of a ResNet-50 and logits of VirTex are
 * nearer to exact arithmetic than PyTorch's; without it, about three times as far from it as
 * PyTorch's (doc/models.md). */
enum { LIMN_SUM_BLOCK = 128 };

/* One product: for each row r < n_rows and each output o of panels
 * panel_begin … panel_end-1 with o < w->n_outputs,
 *
 *     acc = bias[o]; for k in 0 … n_inputs-1 in order: acc = fma(x[r][k], w[o][k], acc)
 *     y[r][o] = activation(acc) + residual[r][o], or max(acc + residual[r][o], 0)
 *
 * With a `block` B > 0, only the first B products are added to bias[o] like this; each further B
 * (at the end, fewer) are summed from 0 in the same way, and their sum is added to acc. This makes
 * the rounding errors of long sums smaller.
 *
 * Row r of x starts at x + r*x_stride. Row r of y starts at y + (y_rows ? y_rows[r] :
 * r*y_stride), and so does that of residual, from its own base. y may equal residual;
 * y must not overlap x. f16 weights are widened exactly before use. With int8 weights acc is
 * computed as in int8.h, whatever `block` is. */
typedef struct limn_linear_job {
    float *y;              /* [n_rows, n_outputs] at y_stride */
    const float *x;        /* [n_rows, n_inputs] at x_stride */
    const float *residual; /* as y, or NULL */
    const size_t *y_rows;  /* [n_rows] offsets in floats, or NULL */
    size_t n_rows, x_stride, y_stride;
    const limn_packed *w;
    size_t panel_begin, panel_end;
    limn_activation activation;
    size_t block; /* LIMN_SUM_BLOCK (tests: others); 0: none */
} limn_linear_job;

/* Whether its sums are of more than one block. */
static inline bool limn_is_blocked(const limn_linear_job *job)
{
    return job->block > 0 && job->block < job->w->n_inputs;
}

/* Where a row of y begins, in floats. */
static inline size_t limn_y_offset(const limn_linear_job *job, size_t row)
{
    return job->y_rows ? job->y_rows[row] : row * job->y_stride;
}

typedef void limn_linear_fn(const limn_linear_job *job);

/* Sees a product just before limn_linear runs it, in the thread that does. */
typedef void limn_linear_watch_fn(void *ctx, const limn_linear_job *job);

/* The same product where x are codes and the weights LIMN_I8 or LIMN_I8_PAIRS; acc is computed as
 * in codes.h. */
typedef struct limn_codes_job {
    limn_linear_job product; /* x is ignored; activation NONE or RELU6 */
    const void *x;           /* codes [n_rows, LIMN_CODES_PADDED(n_inputs)] at x_stride */
    const float *steps;      /* [n_rows], or NULL: all are `step` */
    float step;
    int32_t zero; /* 1 … 255 */
} limn_codes_job;

typedef void limn_linear_codes_fn(const limn_codes_job *job);

/* Codes [n_rows, LIMN_CODES_PADDED(n)] of rows x [n_rows, n] at x_stride of any values, and their
 * steps [n_rows], as in codes.h. Codes are of limn_kernels.code_size bytes: only functions of one
 * level are used together. */
typedef void limn_encode_rows_fn(void *codes, float *steps, const float *x, size_t n_rows,
                                 size_t x_stride, size_t n);

/* One output row of a depthwise convolution, channels last. For each output column
 * j < n_columns and channel c < n_channels,
 *
 *     acc = bias[c]; for ky, for kx in order:
 *         acc = fma(rows[ky][(j*stride + kx)*x_stride + c], w[(ky*size + kx)*w_stride + c], acc)
 *     y[j*y_stride + c] = activation(acc)
 *
 * Rows of the input carry zeros at their left and right edge; rows above and below it are NULL
 * in `rows` and skipped. */
typedef struct limn_depthwise_job {
    float *y;                 /* [n_columns, n_channels] at y_stride */
    void *codes;              /* NULL, or where y goes instead, as codes after RELU6 (codes.h) */
    const float *const *rows; /* [size] rows of [.., n_channels] at x_stride, or NULL */
    const float *w;           /* [size, size, n_channels] at w_stride */
    const float *bias;        /* [n_channels] */
    size_t n_columns, n_channels, size, stride; /* size 3 or 5, stride 1 or 2 */
    size_t x_stride, y_stride, w_stride;
    limn_activation activation; /* NONE, RELU or RELU6 */
} limn_depthwise_job;

typedef void limn_depthwise_fn(const limn_depthwise_job *job);

/* One output row of max-pooling, channels last. For each output column j < n_columns and channel
 * c < n_channels, over ky and kx in order, where the window is inside the map:
 *
 *     v = rows[ky][(j*stride + kx - n_before)*n_channels + c]
 *     y[j*n_channels + c] = v, the first time, then v > y ? v : y
 *
 * Rows above and below the map are NULL in `rows`; columns left and right of it are skipped. Every
 * window covers at least one position of the map. */
typedef struct limn_max_pool_job {
    float *y;                 /* [n_columns, n_channels] */
    const float *const *rows; /* [size] rows of [width, n_channels], or NULL */
    size_t n_columns, n_channels, size, stride;
    size_t width, n_before; /* columns of the map; columns of padding left of it */
} limn_max_pool_job;

typedef void limn_max_pool_fn(const limn_max_pool_job *job);

/* Sums over a row of n values use 16 lanes: element i goes to lane i % 16 in order of
 * i; lanes are then folded in halves: l[j] += l[j+8] for j < 8, then +4, +2, +1. */

/* For each row, with mean = lane sum of x / dim, var = lane sum of (x - mean)^2 (by fma) / dim
 * and s = 1 / sqrt(var + eps): y = fma((x - mean) * s, gamma, beta). y may equal x. */
typedef void limn_layer_norm_fn(float *y, const float *x, const float *gamma, const float *beta,
                                float eps, size_t n_rows, size_t dim);

/* In place over each row of x [n_rows, n] at `stride`: x = exp(x - max) * (1 / lane sum). */
typedef void limn_softmax_fn(float *x, size_t n_rows, size_t n, size_t stride);

/* max + log(lane sum of exp(x - max)) of x [n], n >= 1: logits minus this are log-probabilities. */
typedef float limn_log_sum_exp_fn(const float *x, size_t n);

/* Attention of one query over n cached positions, one head:
 *
 *     s[p] = scale * lane sum over d of q[d] * k[p][d]; s = softmax(s)
 *     y[d] = sum over p in order, by fma from 0, of s[p] * v[p][d]
 *
 * k[p], v[p]: pointers to [dim] floats, one per position, so that hypotheses with a common past
 * share its rows. `weights` [n] is scratch and receives the softmax. */
typedef void limn_attend_fn(float *y, float *weights, const float *q, const float *const *k,
                            const float *const *v, size_t n, size_t dim, float scale);

/* Converts halves in [n] to floats out [n], exactly, as limn_f16_to_f32 (pack.h) does. */
typedef void limn_widen_fn(float *out, const uint16_t *in, size_t n);

/* One table serves a model and everything that runs it; immutable once filled, so threads may share
 * it. */
typedef struct limn_kernels {
    limn_cpu_level level;
    limn_linear_fn *linear[LIMN_N_DTYPES]; /* by the type of the weights: call limn_linear */
    size_t code_size;                      /* bytes of a code: 1, uint8_t; or 2, uint16_t */
    limn_linear_codes_fn *linear_codes;
    limn_encode_rows_fn *encode_rows;
    limn_depthwise_fn *depthwise;
    limn_max_pool_fn *max_pool;
    limn_layer_norm_fn *layer_norm;
    limn_softmax_fn *softmax;
    limn_log_sum_exp_fn *log_sum_exp;
    limn_attend_fn *attend;
    limn_widen_fn *widen;
    limn_linear_watch_fn *watch; /* NULL; set by who wants to know the inputs of products */
    void *watch_ctx;
} limn_kernels;

/* Fills the table for `level`, which must run here (limn_cpu_level_parse): first with what its base
 * has (recursively), then with what the level itself has. */
void limn_kernels_init(limn_kernels *k, limn_cpu_level level);

/* Runs the product for the job's weight type. */
void limn_linear(const limn_kernels *k, const limn_linear_job *job);

#endif

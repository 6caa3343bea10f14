/* Cross-attention in training, forward and backward: the tokens of all captions of an image attend
 * to its features, one block of keys and values (Vaswani 2017, eq. 1). All sums are products of
 * limn_kernels.linear, head by head, on keys, values, queries and gradients packed for it.
 * Single-threaded; the same bits at every CPU level. */
#ifndef LIMN_COMMON_KERNELS_CROSS_ATTENTION_GRAD_H
#define LIMN_COMMON_KERNELS_CROSS_ATTENTION_GRAD_H

#include <stddef.h>

#include "common/kernels/kernels.h"

typedef struct limn_cross_attention {
    const limn_kernels *kernels;
    size_t n_rows;      /* queries, may be 0 */
    size_t n_positions; /* keys and values */
    size_t n_heads, dim;
    float *scratch; /* [limn_cross_attention_floats], LIMN_ALIGNMENT */
} limn_cross_attention;

/* Scratch for up to n_rows queries. */
size_t limn_cross_attention_floats(size_t n_rows, size_t n_positions, size_t n_heads, size_t dim);

/* y [n_rows, dim], probs [n_rows, n_heads, n_positions] of q [n_rows, dim], k and v [n_positions,
 * dim]. */
void limn_cross_attention_forward(const limn_cross_attention *a, float *y, float *probs,
                                  const float *q, const float *k, const float *v);
/* dq [n_rows, dim], dk and dv [n_positions, dim] are written, from dy [n_rows, dim]. */
void limn_cross_attention_backward(const limn_cross_attention *a, float *dq, float *dk, float *dv,
                                   const float *dy, const float *probs, const float *q,
                                   const float *k, const float *v);

#endif

/* Attention of many positions to many, as in an encoder or a prefix: every query sees every key.
 *
 *     y[r] of a head = sum over p of softmax over p of (q[r] · k[p] / sqrt(head_dim)) * v[p]
 *
 * Scores are made for a few queries at a time: no matrix of all queries and keys is kept. Each sum
 * is that of limn_linear_job: q · k over the head's floats in order, the weighted sum over
 * positions in order; softmax as in kernels.h. The same bits for any number of threads and CPU
 * level. */
#ifndef LIMN_COMMON_KERNELS_ATTENTION_H
#define LIMN_COMMON_KERNELS_ATTENTION_H

#include "common/kernels/product.h"

typedef struct limn_attention {
    size_t n_rows, n_keys;    /* queries, positions */
    size_t n_heads, head_dim; /* D = n_heads * head_dim */
    const float *q, *k, *v;   /* [n_rows or n_keys, D] at stride */
    size_t q_stride, kv_stride;
    float *y; /* [n_rows, D], dense */
} limn_attention;

/* Floats of scratch for so many keys, whatever the number of queries. */
size_t limn_attention_floats(size_t n_keys, size_t n_heads, size_t head_dim);
/* `scratch` at LIMN_ALIGNMENT. y may not overlap anything. */
void limn_attention_run(const limn_runner *runner, const limn_attention *attention, float *scratch);

#endif

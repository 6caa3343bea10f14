/* Full attention of many queries over many keys, as in an encoder or a prefix: every query sees
 * every key.
 *
 *     y[r] of a head = sum over p of softmax over p of (q[r] · k[p] / sqrt(head_dim)) * v[p]
 *
 * Scores are computed for a few queries at a time; the full score matrix is never kept. Sums follow
 * limn_linear_job: q · k over the head's floats in order, the weighted sum over positions in order;
 * softmax as in kernels.h. The result is the same bits for any number of threads and any CPU
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

/* Floats of scratch needed for n_keys keys, whatever the number of queries. */
size_t limn_attention_floats(size_t n_keys, size_t n_heads, size_t head_dim);
/* `scratch` at LIMN_ALIGNMENT. y may not overlap anything. */
void limn_attention_run(const limn_runner *runner, const limn_attention *attention, float *scratch);

#endif

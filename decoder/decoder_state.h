/* Internals of a limn_decoder_state: the caches of one image, and the scratch memory that the
 * states of images decoded together share. Only the sources that run the decoder include this. */
#ifndef LIMN_DECODER_DECODER_STATE_H
#define LIMN_DECODER_DECODER_STATE_H

#include "common/base/arena.h"
#include "common/kernels/product.h"
#include "decoder/decoder_weights.h"

/* Cross-attention of one layer: keys and values of the image, packed per head so that the scores
 * and the weighted sums of all rows are products of the linear kernel. */
typedef struct limn_cross_memory {
    limn_packed *keys;   /* [n_heads]: [S, head_dim], times 1/sqrt(head_dim) */
    limn_packed *values; /* [n_heads]: [head_dim, S] */
} limn_cross_memory;

/* What nothing outlasts a call in: R rows (hypotheses) of all states that share it, S rows of the
 * memory, D dim, F feed-forward; B the larger of R and, where the memory is a prefix, S. */
typedef struct limn_decoder_scratch {
    const limn_decoder *d;
    limn_arena arena, row_arena; /* the second is taken anew when another state joins */
    limn_runner runner;          /* its pool is that of the current call */
    size_t n_states, max_rows, max_steps;
    float *prefix_attention;   /* scratch of limn_attention_run */
    float *memory, *memory_kv; /* [S, memory width], [S, 2 * D] */
    float *x, *h, *y;          /* [R, D], [B, D], [B, D]: residual stream, normed, heads joined */
    float *qkv;                /* [B, 3 * D] */
    float *hidden;             /* [B, F] */
    float *scores; /* [n_heads, R, S up to a multiple of 16] of cross-attention; also the weights of
                    * self-attention, [R, n_heads, max_seen] */
    const float **key_rows, **value_rows; /* [R, n_heads, max_seen] */
    size_t max_seen;                      /* positions that a row may see in its last step */
} limn_decoder_scratch;

struct limn_decoder_state {
    const limn_decoder *d;
    limn_arena arena;
    limn_decoder_scratch *scratch; /* its last state frees it */
    size_t max_rows, max_steps, n_steps;
    limn_cross_memory *cross;    /* [n_layers] of cross-attention */
    float **prefix_kv;           /* [n_layers] of a prefix: [S, 2 * D], keys then values */
    float **self_kv;             /* [n_layers]: [max_steps, max_rows, 2 * D], keys then values */
    uint32_t *slots, *old_slots; /* [max_rows, max_steps]: which row of a step a hypothesis took */
    float *attention;            /* [max_steps, max_rows, n_layers, n_heads, n_places], the
                                  * caller's; NULL: not kept */
};

/* n rounded up to a multiple of a panel's outputs: the room that a row of scores has. */
size_t limn_decoder_padded(size_t n);

/* ---- parts of a layer, on rows of x [n_rows, dim] (transformer.c) --------------------------- */

/* y [n_rows, n_outputs] = x [n_rows, n_inputs] Wᵀ + b, both dense. */
void limn_decoder_linear(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                         const limn_packed *w);
/* The same, but added to y. */
void limn_decoder_add_linear(const limn_decoder_scratch *s, float *y, const float *x, size_t n_rows,
                             const limn_packed *w);
/* What a part reads of x: x itself, or its norm in s->h. */
const float *limn_decoder_part_begin(limn_decoder_scratch *s, const float *x, size_t n_rows,
                                     const limn_norm_weights *norm);
/* Adds to x what a part gives, input [n_rows, n_inputs] of its last product. */
void limn_decoder_part_end(limn_decoder_scratch *s, float *x, const float *input, size_t n_rows,
                           const limn_packed *w, const limn_norm_weights *norm);
void limn_decoder_feed_forward(limn_decoder_scratch *s, size_t layer, float *x, size_t n_rows);

#endif

/* Internals of the decoder's trainer: parameters, what the forward pass keeps, scratch. Only
 * decoder_trainer.c (building) and decoder_grad.c (the passes) include this. Names: R rows
 * (tokens), P images, S rows of an image's memory, D dim, F feed-forward, V tokens. */
#ifndef LIMN_DECODER_DECODER_TRAINER_H
#define LIMN_DECODER_DECODER_TRAINER_H

#include "common/base/arena.h"
#include "decoder/decoder_grad.h"
#include "common/weights/tensor_table.h"
#include "decoder/decoder_params.h"

/* What the forward pass of an attention sublayer keeps. Keys and values have R rows in
 * self-attention, P*S in cross-attention. */
struct attention_kept {
    float *x, *stats, *h; /* [R, D], [R, 2], [R, D]: residual stream, norm statistics, normed */
    float *q, *k, *v, *y; /* y [R, D]: heads joined, before the output projection */
    float *probs;         /* [R, n_heads, max positions] */
};

struct feed_forward_kept {
    float *x, *stats, *h;
    float *up, *active; /* [R, F] before and after GELU */
};

struct layer_kept {
    struct attention_kept self, cross;
    struct feed_forward_kept feed_forward;
};

struct scratch {
    float *d_row, *d_row2;  /* [R, D] */
    float *d_query;         /* [R, D] */
    float *d_key, *d_value; /* [max(R, P*S), D] */
    float *d_hidden;        /* [R, F] */
    float *d_memory;        /* [P*S, D] */
    float *attention;       /* [n_threads, n_attention] */
    size_t n_attention;
};

/* What the forward pass keeps of the memory, and which images it sees. */
struct memory_kept {
    float *dropped;        /* [P, n_memory_positions, memory_dim] */
    const float *features; /* those, or the batch's where there is no dropout */
    float *x, *stats, *h;  /* [P*S, D], [P*S, 2], [P*S, D]: rows, norm statistics, normed */
    bool *is_hidden;       /* [P]: of the images not to be seen */
    limn_tag_slot *slots;  /* [P, n_tag_slots] that are seen */
    size_t *image_rows;    /* [P + 1]: first row of each image's captions */
};

struct output_kept {
    float *x, *stats, *h;
    float *logits, *losses; /* [R, V], [R] */
};

struct limn_decoder_trainer {
    limn_decoder_config config;
    limn_decoder_limits limits;
    limn_kernels kernels;
    limn_layer_ctx ctx;
    limn_arena arena;
    limn_tensor_table table;
    limn_decoder_params *params; /* by the table */
    struct memory_kept memory;
    struct layer_kept *kept; /* [n_layers] */
    struct output_kept output;
    float *dx; /* [R, D]: gradient of the residual stream */
    struct scratch scratch;
};

/* Where a row of the table has its parameters: a limn_linear_params, limn_norm_params or
 * limn_weight. */
void *limn_decoder_trainer_place(const limn_decoder_trainer *t, const limn_tensor_row *row);

#endif

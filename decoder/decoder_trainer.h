/* Inside of the decoder's trainer: parameters, what the forward pass keeps, scratch. Only
 * decoder_trainer.c (building) and decoder_grad.c (the passes) include this.
 * Names: R rows (tokens), P pictures, S rows of a picture's memory, D dim, F feed-forward, V
 * tokens. */
#ifndef LIMN_DECODER_DECODER_TRAINER_H
#define LIMN_DECODER_DECODER_TRAINER_H

#include "common/base/arena.h"
#include "decoder/decoder_grad.h"
#include "common/kernels/layers_grad.h"

struct attention_params {
    limn_norm_params norm;
    limn_linear_params query, key, value, output;
};

struct feed_forward_params {
    limn_norm_params norm;
    limn_linear_params up, down;
};

struct layer_params {
    struct attention_params self, cross;
    struct feed_forward_params feed_forward;
};

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

struct limn_decoder_trainer {
    limn_decoder_config config;
    limn_decoder_limits limits;
    limn_kernels kernels;
    limn_layer_ctx ctx;
    limn_arena arena;
    limn_weight token_embedding, position_embedding, memory_position;
    limn_weight tag_embedding, tag_probability; /* of a decoder with tag slots */
    limn_linear_params memory_project, output;  /* output: the token embedding again */
    limn_norm_params memory_norm, final_norm;
    struct layer_params *layers;             /* [n_layers] */
    struct layer_kept *kept;                 /* [n_layers] */
    float *dropped_features;                 /* [P, n_memory_positions, memory_dim] */
    const float *features;                   /* those, or the batch's where there is no dropout */
    float *memory_x, *memory_stats, *memory; /* [P*S, D], [P*S, 2], [P*S, D] */
    bool *is_hidden;                         /* [P]: of the pictures not to be seen */
    limn_tag_slot *slots;                    /* [P, n_tag_slots] that are seen */
    float *dx;                               /* [R, D]: gradient of the residual stream */
    float *final_x, *final_stats, *final_h;
    float *logits, *losses; /* [R, V], [R] */
    size_t *picture_rows;   /* [P + 1]: first row of each picture */
    struct scratch scratch;
};

#endif

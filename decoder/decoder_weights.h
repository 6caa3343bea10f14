/* Inside of a limn_decoder: its packed weights. Only decoder.c (opening) and transformer.c
 * (running) include this. */
#ifndef LIMN_DECODER_DECODER_WEIGHTS_H
#define LIMN_DECODER_DECODER_WEIGHTS_H

#include "common/kernels/pack.h"
#include "decoder/decoder.h"

typedef struct limn_norm_weights {
    float *gamma, *beta; /* [dim] */
} limn_norm_weights;

typedef struct limn_decoder_layer {
    limn_norm_weights self_norm, cross_norm, feed_forward_norm;
    limn_packed self_qkv;     /* query, key and value in one product: [3 * dim, dim] */
    limn_packed self_output;  /* [dim, dim] */
    limn_packed cross_query;  /* [dim, dim] */
    limn_packed cross_kv;     /* key and value of the memory: [2 * dim, dim] */
    limn_packed cross_output; /* [dim, dim] */
    limn_packed up, down;     /* [feed_forward_dim, dim], [dim, feed_forward_dim] */
} limn_decoder_layer;

struct limn_decoder {
    limn_decoder_config config;
    limn_kernels kernels;
    limn_packed memory_project; /* [dim, memory_dim] */
    float *memory_position;     /* [n_memory_positions, dim] */
    float *tag_embedding;       /* [n_tags, dim]; NULL without tag slots, as the next */
    float *tag_probability;     /* [dim] */
    limn_norm_weights memory_norm, final_norm;
    limn_packed token_embedding; /* [n_tokens, dim]: output product and input look-up */
    float *position_embedding;   /* [max_positions, dim] */
    limn_decoder_layer *layers;  /* [n_layers] */
};

#endif

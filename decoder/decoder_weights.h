/* Internals of a limn_decoder: its packed weights. Only the sources that open and run it, and the
 * table of its tensors, include this. */
#ifndef LIMN_DECODER_DECODER_WEIGHTS_H
#define LIMN_DECODER_DECODER_WEIGHTS_H

#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "common/weights/tensor_table.h"
#include "common/weights/weights.h"
#include "decoder/decoder.h"

typedef struct limn_decoder_layer {
    limn_norm_weights self_norm, cross_norm, feed_forward_norm;
    limn_packed self_qkv;     /* query, key and value in one product: [3 * dim, dim] */
    limn_packed self_output;  /* [dim, dim] */
    limn_packed cross_query;  /* [dim, dim] */
    limn_packed cross_kv;     /* key and value of the memory: [2 * dim, memory width] */
    limn_packed cross_output; /* [dim, dim] */
    limn_packed up, down;     /* [feed_forward_dim, dim], [dim, feed_forward_dim] */
} limn_decoder_layer;

/* What a layout lacks stays zero. */
typedef struct limn_decoder_weights {
    limn_packed memory_project; /* [dim, memory_dim] */
    float *memory_position;     /* [n_memory_positions, memory width] */
    float *tag_embedding;       /* [n_tags, memory width] */
    float *tag_probability;     /* [memory width] */
    limn_norm_weights memory_norm, embedding_norm, final_norm, head_norm;
    limn_packed token_embedding; /* [n_tokens, dim]: look-up, and output product where tied */
    float *position_embedding;   /* [first_position + max_positions, dim] */
    limn_packed head_transform;  /* [dim, dim] */
    limn_packed output;          /* [n_tokens, dim], where not tied */
    float *output_bias;          /* [n_tokens] */
    limn_decoder_layer layers[]; /* [n_layers] */
} limn_decoder_weights;

struct limn_decoder {
    limn_decoder_config config;
    const limn_kernels *kernels; /* borrowed */
    limn_tensor_table table;
    limn_decoder_weights *weights; /* one block, by the table */
};

#endif

/* Internals of the decoder's trainer: where its parameters are, by the table of tensors. */
#ifndef LIMN_DECODER_DECODER_PARAMS_H
#define LIMN_DECODER_DECODER_PARAMS_H

#include "common/kernels/layers_grad.h"

typedef struct limn_attention_params {
    limn_norm_params norm;
    limn_linear_params query, key, value, output;
} limn_attention_params;

typedef struct limn_feed_forward_params {
    limn_norm_params norm;
    limn_linear_params up, down;
} limn_feed_forward_params;

typedef struct limn_layer_params {
    limn_attention_params self, cross;
    limn_feed_forward_params feed_forward;
} limn_layer_params;

/* A row of the table has its limn_linear_params, limn_norm_params or limn_weight here: products,
 * norms and the rest. */
typedef struct limn_decoder_params {
    limn_linear_params memory_project, head_transform;
    limn_linear_params token_embedding; /* of which the tied output product is made */
    limn_linear_params output;
    limn_norm_params memory_norm, embedding_norm, final_norm, head_norm;
    limn_weight memory_position, tag_embedding, tag_probability, position_embedding, output_bias;
    limn_layer_params layers[]; /* [n_layers] */
} limn_decoder_params;

#endif

/* Internals of the family "vit": a network, its check and its table of tensors. */
#ifndef LIMN_ENCODER_VIT_VIT_NETWORK_H
#define LIMN_ENCODER_VIT_VIT_NETWORK_H

#include "common/kernels/convolution.h"
#include "common/kernels/pack.h"
#include "common/weights/tensor_table.h"
#include "common/weights/weights.h"
#include "encoder/network.h"

enum { LIMN_VIT_MAX_LAYERS = 64, LIMN_VIT_MAX_POSITIONS = 4096 };

typedef struct limn_vit_layer {
    limn_norm_weights attention_norm, feed_forward_norm;
    limn_packed qkv;      /* query, key and value in one product: [3 * D, D] */
    limn_packed output;   /* [D, D] */
    limn_packed up, down; /* [F, D], [D, F] */
} limn_vit_layer;

typedef struct limn_vit_network {
    limn_encoder_config config;
    limn_convolution patches;
    limn_packed patch_weights;
    float *class_position;     /* [D] */
    float *position_embedding; /* [S, D] */
    limn_norm_weights embedding_norm, norm;
    limn_vit_layer layers[LIMN_VIT_MAX_LAYERS]; /* [n_layers] */
} limn_vit_network;

/* Positions: the class position and those of the grid. */
size_t limn_vit_n_positions(const limn_encoder_config *config);

/* LIMN_E_LIMIT, LIMN_E_UNSUPPORTED name the field, its value and its bounds. */
limn_status limn_vit_check(const limn_encoder_config *config, limn_error *err);
void limn_vit_tensors(limn_tensor_table *table, const limn_encoder_config *config);
void limn_vit_plan(void *network, const limn_encoder_config *config);

#endif

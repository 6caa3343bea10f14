/* Internals of an EfficientNet-Lite: its geometry and weights. Only the sources of this folder
 * include this. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_LITE_NETWORK_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_LITE_NETWORK_H

#include "common/weights/tensor_table.h"
#include "encoder/efficientnet_lite/mbconv.h"
#include "encoder/efficientnet_lite/stem.h"

typedef struct limn_lite_network {
    limn_efficientnet_lite_shape shape;
    limn_stem stem; /* its weights are the first block's `expand` */
    limn_mbconv blocks[LIMN_EFFICIENTNET_LITE_MAX_BLOCKS]; /* [shape.n_blocks] */
    limn_packed head;
} limn_lite_network;

/* The tensors of a network (offset) and of its trainer (trained_at: a limn_row_at), by stage. */
void limn_lite_tensors(limn_tensor_table *table, const limn_efficientnet_lite_shape *shape);

#endif

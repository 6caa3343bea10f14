/* The shapes of EfficientNet-Lite0 … Lite4: what the layers of each are, computed from Lite0's
 * seven stages and the multipliers of width and depth (Tan & Le 2019; stem and head stay as they
 * are in the "lite" variants). Encoder, converter and tests read the same table. Pure. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_EFFICIENTNET_LITE_SHAPE_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_EFFICIENTNET_LITE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMN_EFFICIENTNET_LITE_MAX_BLOCKS 30
#define LIMN_N_EFFICIENTNET_LITES 5

/* One inverted bottleneck: expand 1x1, depthwise kernel x kernel, project 1x1; the input is added
 * where stride is 1 and n_inputs == n_outputs. */
typedef struct limn_mbconv_shape {
    uint32_t n_inputs, n_expanded, n_outputs; /* channels; no expand layer if equal */
    uint32_t kernel, stride;
} limn_mbconv_shape;

typedef struct limn_efficientnet_lite_shape {
    const char *family;  /* "efficientnet-lite0" …; static storage */
    uint32_t input_size; /* pixels that the published weights were trained with */
    uint32_t n_stem;     /* channels after the stem, a 3x3 convolution of stride 2 */
    uint32_t n_head;     /* channels of the features, after a 1x1 convolution */
    size_t n_blocks;
    limn_mbconv_shape blocks[LIMN_EFFICIENTNET_LITE_MAX_BLOCKS]; /* [n_blocks] */
} limn_efficientnet_lite_shape;

/* The map after a stage (encoder.h) of an image of input_size pixels. */
typedef struct limn_lite_map {
    size_t side, n_channels;
} limn_lite_map;
limn_lite_map limn_efficientnet_lite_map(const limn_efficientnet_lite_shape *shape,
                                         size_t input_size, size_t stage);

/* The names of the networks, ended by NULL. */
extern const char *const limn_efficientnet_lite_names[LIMN_N_EFFICIENTNET_LITES + 1];

/* Lite`index`, 0 … LIMN_N_EFFICIENTNET_LITES - 1. */
void limn_efficientnet_lite_shape_at(limn_efficientnet_lite_shape *out, size_t index);
/* By the name of the family; false when there is none of that name. */
bool limn_efficientnet_lite_shape_find(limn_efficientnet_lite_shape *out, const char *family);

#endif

/* The shapes of ResNet-18, -50 and -101 (He et al. 2016), and of Wide ResNet-50-2 (Zagoruyko &
 * Komodakis 2016), as in torchvision: in a bottleneck, the 3x3 convolution has the stride ("version
 * 1.5"). Pure. */
#ifndef LIMN_ENCODER_RESNET_RESNET_SHAPE_H
#define LIMN_ENCODER_RESNET_RESNET_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#define LIMN_RESNET_MAX_BLOCKS 33
#define LIMN_RESNET_MAX_CONVOLUTIONS 3

typedef struct limn_resnet_convolution {
    size_t n_inputs, n_outputs; /* channels */
    size_t kernel, stride;      /* kernel / 2 zeros around */
} limn_resnet_convolution;

/* ReLU after each convolution; before the last ReLU the shortcut is added: the input, or a 1x1
 * convolution of it. */
typedef struct limn_resnet_block {
    size_t layer, index; /* torchvision's layer 1 … 4, and which of its blocks, from 0 */
    size_t n_convolutions;
    limn_resnet_convolution convolutions[LIMN_RESNET_MAX_CONVOLUTIONS];
    bool has_shortcut;
    limn_resnet_convolution shortcut;
} limn_resnet_block;

typedef struct limn_resnet_shape {
    limn_resnet_convolution stem; /* before max-pooling 3x3, stride 2 */
    size_t n_blocks;
    limn_resnet_block blocks[LIMN_RESNET_MAX_BLOCKS]; /* [n_blocks] */
} limn_resnet_shape;

/* "resnet18", "resnet50", "resnet101", "wide_resnet50_2", NULL */
extern const char *const limn_resnet_names[];

/* False when there is none of that name. */
bool limn_resnet_shape_find(limn_resnet_shape *out, const char *name);

#endif

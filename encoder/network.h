/* A network as a model file describes it, and what it gives: the words that encoder.h and the
 * families of networks share. */
#ifndef LIMN_ENCODER_NETWORK_H
#define LIMN_ENCODER_NETWORK_H

#include <stddef.h>

#include "encoder/encoder_input.h"

/* What the model file says of its encoder. */
typedef struct limn_encoder_config {
    char family[32]; /* a network of a family: "efficientnet-lite0", "resnet50" … */
    limn_input_spec input;
} limn_encoder_config;

/* What a network, or a stage of it, gives: rows [n_prefix + grid_height * grid_width, dim]. Prefix
 * rows, such as a class position, come first and are no place in the image; those of the grid go
 * row by row. */
typedef struct limn_feature_shape {
    size_t n_prefix, grid_width, grid_height, dim;
} limn_feature_shape;
size_t limn_feature_positions(limn_feature_shape shape); /* rows */
size_t limn_feature_floats(limn_feature_shape shape);    /* rows * dim */

/* Called with each stage's output ("stem", "block0" …, "features"), x
 * [height, width, n_channels] dense, channels last, valid during the call. */
typedef void limn_encoder_tap_fn(void *ctx, const char *stage, const float *x, size_t height,
                                 size_t width, size_t n_channels);

#endif

/* A network as a model file describes it, and its outputs: the types that encoder.h and the
 * families of networks share. */
#ifndef LIMN_ENCODER_NETWORK_H
#define LIMN_ENCODER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kernels/kernels.h"
#include "encoder/encoder_input.h"

/* For the family "vit" (encoder/vit/vit.h), whose networks have no names; zero for others. */
typedef struct limn_vit_config {
    uint32_t patch;    /* pixels of a patch's side; 4 … 64, divides both sides of the input */
    uint32_t dim;      /* multiple of n_heads; 8 … 4096 */
    uint32_t n_layers; /* 1 … 64 */
    uint32_t n_heads;  /* 1 … 64 */
    uint32_t feed_forward_dim;  /* 8 … 16384 */
    limn_activation activation; /* between the two products of the feed-forward part */
    float eps;                  /* added to variances; 1e-14 … 0.1 */
    bool has_patch_bias;
    bool has_embedding_norm; /* before the layers: CLIP's */
} limn_vit_config;

bool limn_vit_configs_equal(const limn_vit_config *a, const limn_vit_config *b);

/* What the model file says of its encoder. */
typedef struct limn_encoder_config {
    char family[32]; /* a network of a family: "efficientnet-lite0", "resnet50" …, or "vit" */
    limn_input_spec input;
    limn_vit_config vit;
} limn_encoder_config;

/* What a network, or a stage of it, gives: rows [n_prefix + grid_height * grid_width, dim]. Prefix
 * rows, such as a class position, come first and have no place in the image; those of the grid go
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

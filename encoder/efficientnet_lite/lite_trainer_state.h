/* Internals of the encoder's trainer: layers and their weights, what the forward pass keeps,
 * scratch. Only lite_trainer.c (building), lite_grad.c (the passes) and lite_tensors.c (their
 * tensors) include this. Names of mbconv.h: C, E, D channels into, inside and out of a block; n, m
 * sides of its maps. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_LITE_TRAINER_STATE_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_LITE_TRAINER_STATE_H

#include "common/base/arena.h"
#include "common/kernels/kernels.h"
#include "common/kernels/rows_grad.h"
#include "common/weights/table_params.h"
#include "encoder/efficientnet_lite/lite_trainer.h"
#include "encoder/efficientnet_lite/mbconv.h"
#include "encoder/efficientnet_lite/stem.h"

/* How many sums of gradients are kept apart: image i of n adds to sum i * n_parts / n. */
enum { LIMN_LITE_PARTS = 8 };

/* A 1x1 convolution, or the stem on patches. */
struct product {
    limn_row_at at;
    limn_packed forward;  /* [n_outputs, n_inputs] */
    limn_packed backward; /* its transpose, without bias; empty where no gradient goes further */
};

struct block {
    limn_mbconv map; /* geometry alone */
    bool has_expand, has_residual;
    struct product expand, project;
    limn_row_at depthwise;
    float *filter;     /* [k*k, E] */
    size_t *positions; /* [n * n] where an expanded position goes in the padded map */
};

/* What one thread needs for one image. */
struct image_scratch {
    limn_stem_scratch stem;
    float *expanded, *d_expanded; /* [n, padded_size, E]: rows with zeros at both ends */
    float *filtered, *d_filtered; /* [m, m, E] */
    float *d_maps[2];             /* gradients of a stage's output and of its input */
    float *stem_weights;          /* [n_stem, 27] in the order of patches */
};

struct limn_lite_trainer {
    limn_lite_trainer_settings settings;
    limn_kernels kernels;
    const limn_rows_grad *rows;
    limn_pool *pool;
    limn_params *params;
    limn_arena arena;
    size_t first_float, n_floats; /* the trained parameters, in `params` */
    limn_stem stem;
    struct product stem_product, head;
    struct block blocks[LIMN_EFFICIENTNET_LITE_MAX_BLOCKS];
    float *maps[LIMN_EFFICIENTNET_LITE_MAX_BLOCKS + 2]; /* by stage: [max_images, its map] */
    struct image_scratch *scratch;                      /* [n_threads] */
    float *sums; /* [LIMN_LITE_PARTS, n_floats] of gradients */
    /* Of the current pass: */
    size_t n_images, n_parts;
    const uint8_t *pixels;
    const float *cut, *d_features;
};

#endif

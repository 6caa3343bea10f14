/* The encoders that others publish: how their files are recognised, what they call each layer
 * (convolution and batch norm apart), and how they preprocess images. The only place outside an
 * encoder's own folder that knows its names. */
#ifndef LIMN_MODELS_CONVERT_ENCODER_NAMES_H
#define LIMN_MODELS_CONVERT_ENCODER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/weights/tensor_table.h"
#include "encoder/encoder_input.h"

#define MAX_ENCODER_NAME 160 /* bytes with the NUL and any prefix */

/* The layer of the tensor `spec`, e.g. "encoder.blocks.3.expand.weight", under `prefix`. */
typedef struct encoder_layer_names {
    char convolution[MAX_ENCODER_NAME]; /* "PREFIX_blocks.3._expand_conv.weight" */
    char norm[MAX_ENCODER_NAME];        /* "PREFIX_blocks.3._bn0": its tensors add ".weight" … */
} encoder_layer_names;

typedef struct original_encoder {
    const char *kind; /* in messages: "EfficientNet-Lite weights" */
    const char *sign; /* a tensor that each of its files has exactly once; what precedes it is the
                       * prefix */
    double batch_norm_eps;       /* of every batch norm */
    const char *classifier;      /* of ImageNet's 1000 classes, on the mean of the features */
    const char *const *networks; /* families that a file can be, ended by NULL */
    /* How the published weights of a network see an image. */
    limn_input_spec (*input)(const char *network);
    /* False when `name` names no tensor of the encoder. */
    bool (*find)(encoder_layer_names *out, const char *name, const char *prefix);
} original_encoder;

/* Ended by one whose `kind` is NULL. */
extern const original_encoder original_encoders[];

/* Whether an original tensor (its name without the prefix) does not affect features: the
 * classifier, and the counters of batch norm. */
bool encoder_name_is_unneeded(const original_encoder *of, const char *name);

/* The shape that the convolution of a weight has in the original: 1x1 kernels and the single input
 * of depthwise convolutions are dimensions there. */
void encoder_original_shape(size_t shape[4], const limn_tensor_spec *weight);

#endif

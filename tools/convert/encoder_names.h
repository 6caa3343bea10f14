/* Which original tensors a layer of the encoder is made from: the names of PyTorch's
 * EfficientNet-Lite (efficientnet_lite_pytorch), convolution and batch norm apart. */
#ifndef LIMN_TOOLS_CONVERT_ENCODER_NAMES_H
#define LIMN_TOOLS_CONVERT_ENCODER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/io/safetensors.h"
#include "models/model_tensors.h"

#define MAX_ENCODER_NAME 160 /* bytes with the NUL and any prefix */

/* The layer of the tensor `spec`, e.g. "encoder.blocks.3.expand.weight", under `prefix`. */
typedef struct encoder_layer_names {
    char convolution[MAX_ENCODER_NAME]; /* "PREFIX_blocks.3._expand_conv.weight" */
    char norm[MAX_ENCODER_NAME];        /* "PREFIX_blocks.3._bn0": its tensors add ".weight" … */
} encoder_layer_names;

/* False when `name` names no tensor of the encoder. */
bool encoder_layer_names_find(encoder_layer_names *out, const char *name, const char *prefix);

/* Whether an original tensor (its name without the prefix) has no part in features: the classifier,
 * and the counters of batch norm. */
bool encoder_name_is_unneeded(const char *name);

/* The shape that the convolution of a weight has in the original: 1x1 kernels and the single input
 * of depthwise convolutions are dimensions there. */
void encoder_original_shape(size_t shape[4], const limn_tensor_spec *weight);

#endif

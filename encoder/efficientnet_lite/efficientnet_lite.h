/* EfficientNet-Lite0 … Lite4 (Tan & Le 2019; the "lite" variants of the TensorFlow TPU repository
 * use ReLU6 throughout and no squeeze-and-excitation) as an encoder:
 *
 *     pixels ─ stem 3x3, stride 2 ─▶ 16 … 30 inverted bottlenecks ─▶ head 1x1, ReLU6 ─▶ features
 *
 * Shapes: efficientnet_lite_shape.h; names of tensors: models/FORMAT.md. The first block has no
 * expansion of its own: the stem takes its place, so that the stem's map never exists as a whole
 * either. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_EFFICIENTNET_LITE_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_EFFICIENTNET_LITE_H

#include "encoder/network_family.h"

extern const limn_encoder_family limn_efficientnet_lite;

#endif

/* ResNet-18, -50, -101 and Wide ResNet-50-2 (torchvision's) as an encoder, for inputs of any shape:
 *
 *     pixels ─ 7x7, stride 2, ReLU, max-pool 3x3, stride 2 ─▶ 8 … 33 residual blocks ─▶ features
 *
 * Features are the map that torchvision averages: a 32nd of each side, 512 or 2048 channels. Stage
 * 0 is what precedes the blocks, stage i block i - 1. Shapes: resnet_shape.h; names of tensors:
 * models/FORMAT.md. */
#ifndef LIMN_ENCODER_RESNET_RESNET_H
#define LIMN_ENCODER_RESNET_RESNET_H

#include "encoder/network_family.h"

extern const limn_encoder_family limn_resnet;

#endif

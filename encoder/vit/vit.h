/* Vision transformers (Dosovitskiy et al. 2021) as an encoder: ViT, BLIP's and CLIP's.
 *
 *     pixels ─ patches, P x P convolution with stride P ─▶ [grid, D]
 *            ─ class token [1, D] in front, + position embedding
 *            ─ layer norm, if has_embedding_norm ─▶ x [S, D], S = 1 + grid
 *     each layer:  x = x + output(attention(norm(x)))
 *                  x = x + down(activation(up(norm(x))))
 *     features = norm(x), all S positions, the class token first
 *
 * Attention is softmax(q · k / sqrt(D / heads)) over all positions. Stage 0 is the input of the
 * layers, stage i is layer i - 1; the last stage gives the features. Names of tensors:
 * models/FORMAT.md. */
#ifndef LIMN_ENCODER_VIT_VIT_H
#define LIMN_ENCODER_VIT_VIT_H

#include "encoder/network_family.h"

extern const limn_encoder_family limn_vit;

#endif

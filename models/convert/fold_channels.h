/* Large channels, scaled down before the products that read them are quantised to int8.
 *
 * Activations share a scale in blocks of 32, the weights of an output in all inputs
 * (common/kernels/int8.h). Where one channel is a hundred times as large as the others of its
 * block, these keep a bit of seven; where its weights are as small as it is large, as training
 * makes them, they are rounded to nothing. As in equalisation (Nagel et al. 2019, "Data-Free
 * Quantization Through Weight Equalization and Bias Correction") and SmoothQuant (Xiao et al. 2023)
 * a factor moves from the activations to the weights. Of a layer norm that nothing but products W
 * reads, and of the values of attention, which its output product W reads, channel j becomes
 *
 *     (gamma[j] * n[j] + beta[j]) / s[j]  or  (V[j] · x + b[j]) / s[j]
 *
 * and its weights W[o][j] * s[j]. Powers of two leave every result what it was, to the last bit (of
 * values in the range of normal floats). No images are needed: n has mean 0 and variance 1 over the
 * channels, and x is mostly such a norm, so that
 *
 *     size[j] = sqrt(gamma[j]² + beta[j]²)  or  sqrt(sum over i of V[j][i]² + b[j]²)
 *     s[j] = the largest power of two that is at most size[j] / (the median size)
 *            and at most max over k of |W[o][k]| / |W[o][j]|, for each o of each W,
 *            or 1 where that is less than CONVERT_LEAST_FOLD
 *
 * By the first bound no channel becomes smaller than is usual; by the second no output's largest
 * weight grows, so that the scales of weights, and the rounding of all other weights, stay what
 * they were. In ordinary models the second is nearly always less than 2, and nothing changes.
 *
 * Norms that are also added to (of layers with the norm after), that are features, or that are
 * read by a word embedding have other readers, and stay. */
#ifndef LIMN_MODELS_CONVERT_FOLD_CHANNELS_H
#define LIMN_MODELS_CONVERT_FOLD_CHANNELS_H

#include "models/convert/convert_tensors.h"

#define CONVERT_LEAST_FOLD 8

/* Scales the channels of a result that is all F32, and counts them in r->folded. What the source
 * has in int8 already stays the same. LIMN_E_NOMEM. */
limn_status convert_fold_channels(convert_result *r, limn_error *err);

#endif

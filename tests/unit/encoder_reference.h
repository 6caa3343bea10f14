/* EfficientNet-Lite written as plainly as possible, as a reference for the encoder: every layer is
 * a general convolution over whole maps, with sums in double and padding by TensorFlow's
 * formula. */
#ifndef LIMN_TESTS_UNIT_ENCODER_REFERENCE_H
#define LIMN_TESTS_UNIT_ENCODER_REFERENCE_H

#include "encoder/encoder.h"

/* Runs it on pixels [height, width, 3] and calls `tap` as limn_encoder_run_tapped does. */
void reference_encoder_run(const limn_safetensors *file, const limn_encoder_config *config,
                           const uint8_t *pixels, limn_encoder_tap_fn *tap, void *ctx);

#endif

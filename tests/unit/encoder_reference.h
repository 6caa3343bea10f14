/* EfficientNet-Lite written as plainly as can be, to compare the encoder with: every layer a
 * general convolution over whole maps, sums in double, padding by TensorFlow's formula. */
#ifndef LIMN_TESTS_UNIT_ENCODER_REFERENCE_H
#define LIMN_TESTS_UNIT_ENCODER_REFERENCE_H

#include "encoder/encoder.h"

/* Runs it on pixels [height, width, 3] and calls `tap` as limn_encoder_run_tapped does. */
void reference_encoder_run(const limn_safetensors *file, const limn_encoder_config *config,
                           const uint8_t *pixels, limn_encoder_tap_fn *tap, void *ctx);

#endif

/* Images of a training set are decoded in the sandbox. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_DECODING_H
#define LIMN_TOOLS_TRAIN_TRAIN_DECODING_H

#include "encoder/encoder_input.h"
#include "tools/annotate/annotate.h"

/* pixels [S, S, 3] as limn_encoder_input_load writes them, by `decoders`; in this process where
 * that is NULL. Any thread. Errors as limn_image_decode and limn_sandbox_run. */
limn_status limn_train_decode(void *decoders, uint8_t *pixels, const void *bytes, size_t size,
                              const limn_encoder_input_settings *input, limn_error *err);

#endif

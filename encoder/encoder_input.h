/* From the bytes of a picture file to the encoder's input. */
#ifndef LIMN_ENCODER_ENCODER_INPUT_H
#define LIMN_ENCODER_ENCODER_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/image.h"
#include "common/image/resize.h"

typedef struct limn_encoder_input_settings {
    uint32_t input_size; /* pixels */
    limn_resize_filter resize;
    uint64_t max_pixels; /* larger pictures are refused */
} limn_encoder_input_settings;

/* Decodes a picture for the input: upright, a large JPEG reduced, in pixels that `out` owns. Errors
 * as limn_image_decode. */
limn_status limn_encoder_input_decode(limn_image *out, const void *bytes, size_t size,
                                      const limn_encoder_input_settings *settings, limn_error *err);

/* Decodes a picture upright and squashes the whole of it to input [input_size, input_size, 3]. A
 * JPEG may be decoded at a fraction of its size that stays at least twice input_size. `*width` and
 * `*height` (may be NULL) are those of the whole upright picture, in the file's pixels. Errors as
 * limn_image_decode. Re-entrant; `scratch` belongs to one thread. */
limn_status limn_encoder_input_load(uint8_t *input, const void *bytes, size_t size,
                                    const limn_encoder_input_settings *settings,
                                    limn_resize_scratch *scratch, uint32_t *width, uint32_t *height,
                                    limn_error *err);

#endif

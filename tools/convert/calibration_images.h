/* The images of limn-convert --calibrate. */
#ifndef LIMN_TOOLS_CONVERT_CALIBRATION_IMAGES_H
#define LIMN_TOOLS_CONVERT_CALIBRATION_IMAGES_H

#include "common/base/buffer.h"
#include "encoder/encoder_input.h"

/* More images say nothing new, and their pixels are all in memory. */
enum { LIMN_CALIBRATION_MAX_IMAGES = 512, LIMN_CALIBRATION_ENOUGH_IMAGES = 32 };
#define LIMN_CALIBRATION_MAX_BYTES ((size_t)256 << 20)

/* The most images of `image_bytes` (more than 0) of pixels each, of max_bytes together; at least 1.
 */
static inline size_t limn_calibration_most_images(size_t image_bytes, size_t max_bytes)
{
    const size_t n = max_bytes / image_bytes;
    return n > LIMN_CALIBRATION_MAX_IMAGES ? LIMN_CALIBRATION_MAX_IMAGES : n > 0 ? n : 1;
}

typedef struct limn_calibration_images {
    limn_buffer pixels; /* [n_images, height, width, 3] */
    size_t n_images, n_failed;
} limn_calibration_images;

/* Reads the images in `folder` and below it, the first limn_calibration_most_images in the order of
 * limn(1), as inputs of an encoder; for limn-convert, max_bytes is LIMN_CALIBRATION_MAX_BYTES. An
 * image that fails is reported and left out. LIMN_E_IO (the folder or one below it can't be read),
 * LIMN_E_ARG (it is none), LIMN_E_FORMAT (no image, or none that can be read), LIMN_E_NOMEM. */
limn_status limn_calibration_images_read(limn_calibration_images *out, const char *folder,
                                         const limn_input_spec *spec, size_t max_bytes,
                                         size_t n_threads, limn_error *err);
void limn_calibration_images_finish(limn_calibration_images *images); /* accepts a zeroed struct */

#endif

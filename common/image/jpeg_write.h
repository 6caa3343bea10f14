/* Pixels to the bytes of a JPEG, as text that a page can hold. Re-entrant. */
#ifndef LIMN_COMMON_IMAGE_JPEG_WRITE_H
#define LIMN_COMMON_IMAGE_JPEG_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

/* Appends pixels [height, width, 3] RGB as a JPEG of quality 1 … 100, "data:image/jpeg;base64,…".
 * LIMN_E_NOMEM. */
limn_status limn_jpeg_append_uri(limn_buffer *out, const uint8_t *pixels, uint32_t width,
                                 uint32_t height, int quality, limn_error *err);

#endif

/* Pixels to the bytes of a PNG. Re-entrant. */
#ifndef LIMN_COMMON_IMAGE_PNG_WRITE_H
#define LIMN_COMMON_IMAGE_PNG_WRITE_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

/* Appends a PNG of pixels [height, width, 3], RGB, dense; sides from 1 to 65535. The bytes depend
 * on nothing but these and the version of zlib. LIMN_E_NOMEM. */
limn_status limn_png_append(limn_buffer *out, const uint8_t *pixels, uint32_t width,
                            uint32_t height, limn_error *err);

#endif

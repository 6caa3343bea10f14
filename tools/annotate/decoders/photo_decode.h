/* From the bytes of an image file of any format that the program reads to upright sRGB pixels: what
 * limn_image_decode reads, and what a decoder module does. */
#ifndef LIMN_TOOLS_ANNOTATE_DECODERS_PHOTO_DECODE_H
#define LIMN_TOOLS_ANNOTATE_DECODERS_PHOTO_DECODE_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/image/image.h"

/* As limn_image_decode, for more formats. LIMN_E_UNSUPPORTED also names the library that the build
 * lacks. */
limn_status limn_photo_decode(limn_image *out, const void *bytes, size_t size,
                              const limn_image_settings *settings, limn_error *err);

#endif

/* The door to stb_image, for plain BMP, TGA and HDR. Internal to this folder.
 *
 * Debian's stb_image (2.27) reads zeros, or memory never written, past the end of its data and
 * trusts much of what they say: bmp.c, tga.c and hdr.c check that the image is whole, how large
 * it is, and that it is of a kind that is read rightly, before they come here. */
#ifndef LIMN_COMMON_IMAGE_IMAGE_STB_H
#define LIMN_COMMON_IMAGE_IMAGE_STB_H

#include <stdbool.h>

#include "common/image/codec.h"

/* The image of in->bytes, which must have the given size. With `has_alpha` it is blended over
 * white, else a fourth channel is dropped. LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_stb_decode(limn_image *out, const char *format, uint32_t width, uint32_t height,
                            bool has_alpha, const limn_codec_input *in, limn_error *err);

#endif

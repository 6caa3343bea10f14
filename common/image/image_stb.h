/* stb_image, for plain BMP, TGA and HDR. Internal to this folder.
 *
 * Debian's stb_image (2.27) reads zeros or uninitialised memory past the end of its data and
 * trusts its headers: bmp.c, tga.c and hdr.c check first that the image is complete, its size, and
 * that it is of a kind that stb_image reads correctly. */
#ifndef LIMN_COMMON_IMAGE_IMAGE_STB_H
#define LIMN_COMMON_IMAGE_IMAGE_STB_H

#include <stdbool.h>

#include "common/image/codec.h"

/* The image of in->bytes, which must have the given size. With `has_alpha` it is blended over
 * white, else a fourth channel is dropped. LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_stb_decode(limn_image *out, const char *format, uint32_t width, uint32_t height,
                            bool has_alpha, const limn_codec_input *in, limn_error *err);

#endif

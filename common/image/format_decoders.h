/* The decoders that the table of formats names, one a file. Internal to this folder. */
#ifndef LIMN_COMMON_IMAGE_FORMAT_DECODERS_H
#define LIMN_COMMON_IMAGE_FORMAT_DECODERS_H

#include "common/image/format.h"

limn_decode_fn limn_decode_jpeg, limn_decode_png, limn_decode_webp, limn_decode_gif,
    limn_decode_bmp, limn_decode_pnm, limn_decode_psd, limn_decode_tga, limn_decode_hdr;

#endif

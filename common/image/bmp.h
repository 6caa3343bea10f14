/* What the two readers of BMP share: the header, checked. Internal to this folder. */
#ifndef LIMN_COMMON_IMAGE_BMP_H
#define LIMN_COMMON_IMAGE_BMP_H

#include <stdbool.h>

#include "common/image/codec.h"

enum { LIMN_BMP_RED, LIMN_BMP_GREEN, LIMN_BMP_BLUE, LIMN_BMP_ALPHA, LIMN_BMP_N_MASKS };

enum {
    LIMN_BMP_NONE = 0,
    LIMN_BMP_RLE8 = 1,
    LIMN_BMP_RLE4 = 2,
    LIMN_BMP_MASKS = 3,
    LIMN_BMP_ALPHA_MASKS = 6,
};

typedef struct limn_bmp_header {
    uint32_t size; /* of the second header: tells its kind */
    uint32_t width, height, bits_per_pixel, compression;
    bool is_top_down;
    uint32_t pixels_at;               /* offset from the file's start */
    uint32_t masks[LIMN_BMP_N_MASKS]; /* of pixels of 16 and 32 bits; 0: there is none */
    size_t masks_size;                /* bytes of masks between header and palette */
    size_t palette_at;                /* of n_colours, colour_size bytes each: blue, green, red */
    size_t n_colours, colour_size;
    size_t row_size; /* bytes, a multiple of 4; where not packed in runs */
} limn_bmp_header;

/* ---- bmp_unusual.c ---- */

/* The pixels of a BMP that stb_image does not read, or reads wrongly. The header was checked; rows
 * that are not packed were found to be there. */
limn_status limn_bmp_decode_unusual(limn_image *out, const limn_bmp_header *h,
                                    const limn_codec_input *in, limn_error *err);

#endif

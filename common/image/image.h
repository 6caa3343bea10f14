/* An image in memory, and the limits of images that may be decoded (decode.h). */
#ifndef LIMN_COMMON_IMAGE_IMAGE_H
#define LIMN_COMMON_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/resize.h"

typedef struct limn_image {
    uint8_t *pixels; /* [height, width, 3] RGB, dense; owned, limn_image_finish frees it */
    uint32_t width, height;
    uint32_t full_width, full_height; /* before a JPEG was decoded reduced; else the same */
    /* What the image covers of the pixels: all, but a reduced JPEG may fill its outermost
     * column and row only in part. limn_image_resize heeds it. */
    limn_resize_box box;
    unsigned denominator; /* of the reduction of a JPEG, 1, 2, 4 or 8; 0: another format */
} limn_image;

#define LIMN_IMAGE_MAX_SIDE 65535u
#define LIMN_MAX_PIXELS 4294836225        /* 65535 x 65535: what max_pixels can be */
#define LIMN_DEFAULT_MAX_PIXELS 178956970 /* as Pillow */

typedef struct limn_image_settings {
    uint64_t max_pixels; /* refuse images with more pixels; default LIMN_DEFAULT_MAX_PIXELS */
    uint32_t max_side;   /* refuse wider or higher images; default 65535, the largest allowed */
    uint32_t min_side;   /* refuse narrower or lower ones: nothing is to be seen on an image of
                          * 1 x 1; default 2 */
    /* Decode a JPEG at 1/2, 1/4 or 1/8 where both sides stay at least twice this many pixels
     * (after orientation); 0 (default) = always in full. */
    uint32_t min_side_hint;
} limn_image_settings;

limn_image_settings limn_image_settings_default(void);

/* dst [dst_height, dst_width, 3] from the whole image: limn_resize_part with its box. */
limn_status limn_image_resize(uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                              const limn_image *image, limn_resize_filter filter,
                              limn_resize_scratch *scratch, limn_error *err);

void limn_image_finish(limn_image *image); /* accepts a zeroed image; zeroes it */

#endif

/* Pictures from bytes: one entry for every format, told by content.
 *
 *     bytes  ->  limn_image_decode  ->  RGB8, upright
 *
 * All input is hostile: sizes are checked from the header before anything is decoded, a
 * picture that is not whole is an error, never a half-grey picture. Re-entrant. */
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
    /* What the picture covers of the pixels: all, but a reduced JPEG may fill its outermost
     * column and row only in part. limn_image_resize heeds it. */
    limn_resize_box box;
    unsigned denominator; /* of the reduction of a JPEG, 1, 2, 4 or 8; 0: another format */
} limn_image;

#define LIMN_IMAGE_MAX_SIDE 65535u
#define LIMN_MAX_PIXELS 4294836225        /* 65535 x 65535: what max_pixels can be */
#define LIMN_DEFAULT_MAX_PIXELS 178956970 /* as Pillow */

typedef struct limn_image_settings {
    uint64_t max_pixels; /* refuse pictures with more pixels; default LIMN_DEFAULT_MAX_PIXELS */
    uint32_t max_side;   /* refuse wider or higher pictures; default 65535, the largest allowed */
    uint32_t min_side;   /* refuse narrower or lower ones: nothing is to be seen on a picture of
                          * 1 x 1; default 2 */
    /* Decode a JPEG at 1/2, 1/4 or 1/8 where both sides stay at least twice this many pixels
     * (after orientation); 0 (default) = always in full. */
    uint32_t min_side_hint;
} limn_image_settings;

limn_image_settings limn_image_settings_default(void);

/* Decodes `size` bytes of JPEG, PNG, WebP, GIF, BMP, PNM (PGM and PPM), PSD, TGA or Radiance HDR.
 *
 *   Of an animation the first frame, of a PSD the flattened picture. Grey and CMYK are converted;
 *   transparency is blended over white; 16 bit are rounded to 8, the values of HDR are raised to
 *   the power of 1 / 2.2 and cut at 1; colour profiles and gamma are ignored. What no frame of a
 * GIF covers has the transparent colour or else colour 0, not the background that the file names;
 *   pixels that the runs of a BMP leave out have colour 0.
 *   Which side is up: of JPEG, PNG and WebP, from EXIF, or from XMP where EXIF has no such entry;
 *   of PNG, EXIF may also be a text as ImageMagick writes it. A broken EXIF block is ignored, with
 * a note in *err. Bytes after the picture are ignored. A JPEG may lack its end when all rows are
 * there.
 *
 * All this is as in Pillow (ImageOps.exif_transpose), whose pixels are the same but for: 16 bit,
 * of which Pillow takes the upper 8 or (grey) cuts off what is above 255; BMP with 16 bits a
 * pixel, up to 1 of 255; alpha of those, which Pillow ignores. tests/diff/compare_pillow.py has
 * the list of all differences.
 *
 * `out` is overwritten, with zeros on failure. Texts begin with the format, not with a file name.
 * LIMN_E_UNSUPPORTED names the format found (AVIF, HEIC, text, …) or says that the bytes
 * are no known picture; LIMN_E_LIMIT; LIMN_E_TRUNCATED; LIMN_E_FORMAT; LIMN_E_NOMEM. */
limn_status limn_image_decode(limn_image *out, const void *bytes, size_t size,
                              const limn_image_settings *settings, limn_error *err);

/* Whether limn_image_decode of the same bytes with this min_side_hint gives this image. */
bool limn_image_suits_hint(const limn_image *image, uint32_t min_side_hint);

/* dst [dst_height, dst_width, 3] from the whole picture: limn_resize_part with its box. */
limn_status limn_image_resize(uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                              const limn_image *image, limn_resize_filter filter,
                              limn_resize_scratch *scratch, limn_error *err);

void limn_image_finish(limn_image *image); /* accepts a zeroed image; zeroes it */

#endif

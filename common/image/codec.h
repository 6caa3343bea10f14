/* What the decoders of common/image share. Internal to this folder.
 *
 * A decoder reads the header, has the size checked and the pixels allocated by
 * limn_image_reserve, then fills them. decode.c chooses it by content and turns the image
 * upright afterwards. */
#ifndef LIMN_COMMON_IMAGE_CODEC_H
#define LIMN_COMMON_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/format_decoders.h"
#include "common/image/image.h"

/* ---- codec.c ---- */

/* Whether an image of this size may be decoded. LIMN_E_FORMAT (a side of 0), LIMN_E_LIMIT. */
limn_status limn_image_check_size(const char *format, uint64_t width, uint64_t height,
                                  const limn_image_settings *settings, limn_error *err);
/* Allocates the pixels of an image whose size was checked. LIMN_E_NOMEM. */
limn_status limn_image_reserve(limn_image *out, const char *format, uint32_t width, uint32_t height,
                               limn_error *err);
/* rgb [n_pixels, 3] from rgba [n_pixels, 4], not premultiplied, over white. */
void limn_image_flatten(uint8_t *rgb, const uint8_t *rgba, size_t n_pixels);
/* rgb [n_pixels, 3] from cmyk [n_pixels, 4], inverted as in JPEG and PSD: 255 is no ink. */
void limn_image_flatten_inks(uint8_t *rgb, const uint8_t *cmyk, size_t n_pixels);

/* ---- exif.c, xmp.c: which side is up ---- */

/* The orientation, 1 to 8, of an EXIF block (with or without its leading "Exif\0\0"); 0 when it has
 * no such entry. Other values count as 1, with a note in *err. A block that is broken, or whose
 * directories form a loop, is ignored, with a note in *err. */
unsigned limn_exif_orientation(const uint8_t *exif, size_t size, limn_error *err);

/* The first tiff:Orientation of an XMP packet, 1 to 8 (1 for any other digit); 0 when there is
 * none. */
unsigned limn_xmp_orientation(const uint8_t *xmp, size_t size);

/* ---- png_text.c ---- */

/* The orientations found so far in the chunks of a PNG; 0: none. */
typedef struct limn_png_orientation {
    unsigned exif, raw_profile, xmp;
    bool has_exif;
} limn_png_orientation;

/* Looks for an orientation in chunk `name` (eXIf, tEXt, zTXt, iTXt; others are ignored). */
void limn_png_orientation_add(limn_png_orientation *o, const char *name, const uint8_t *data,
                              size_t size, limn_error *err);

/* ---- orient.c ---- */

/* Turns `image` upright. `orientation` 1 to 8 as EXIF defines them. LIMN_E_NOMEM. */
limn_status limn_image_orient(limn_image *image, unsigned orientation, limn_error *err);

#endif

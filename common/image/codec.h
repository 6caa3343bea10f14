/* What the decoders of common/image share. Internal to this folder.
 *
 * A decoder reads the header, has the size checked and the pixels allocated by
 * limn_image_reserve, then fills them. image.c chooses it by content and turns the picture
 * upright afterwards. */
#ifndef LIMN_COMMON_IMAGE_CODEC_H
#define LIMN_COMMON_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/image.h"

typedef struct limn_codec_input {
    const uint8_t *bytes;
    size_t size;
    const limn_image_settings *settings;
} limn_codec_input;

/* `out` comes zeroed; on failure limn_image_decode frees what it holds. `*orientation` comes
 * as 1. */
typedef limn_status limn_decode_fn(limn_image *out, unsigned *orientation,
                                   const limn_codec_input *in, limn_error *err);

limn_decode_fn limn_decode_jpeg, limn_decode_png, limn_decode_webp, limn_decode_gif,
    limn_decode_bmp, limn_decode_pnm;

/* ---- image.c ---- */

/* Whether a picture of this size may be decoded. LIMN_E_FORMAT (a side of 0), LIMN_E_LIMIT. */
limn_status limn_image_check_size(const char *format, uint64_t width, uint64_t height,
                                  const limn_image_settings *settings, limn_error *err);
/* Allocates the pixels of a picture whose size was checked. LIMN_E_NOMEM. */
limn_status limn_image_reserve(limn_image *out, const char *format, uint32_t width, uint32_t height,
                               limn_error *err);
/* rgb [n_pixels, 3] from rgba [n_pixels, 4], not premultiplied, over white. */
void limn_image_flatten(uint8_t *rgb, const uint8_t *rgba, size_t n_pixels);

/* ---- sniff.c ---- */

typedef struct limn_image_format {
    const char *name;       /* "JPEG", "AVIF", "text", "a PDF document" … */
    limn_decode_fn *decode; /* NULL: known, but not read by this build */
    bool is_other;          /* no picture at all */
} limn_image_format;

/* What the bytes are, by their first ones; NULL when nothing known. */
const limn_image_format *limn_image_sniff(const uint8_t *bytes, size_t size);

/* ---- exif.c ---- */

/* The orientation, 1 to 8, of an EXIF block (with or without its leading "Exif\0\0"); 1 when there
 * is none. A block that is broken, whose directories lead back to each other, or whose orientation
 * is no such number is ignored, with a note in *err. */
unsigned limn_exif_orientation(const uint8_t *exif, size_t size, limn_error *err);

/* ---- orient.c ---- */

/* Turns `image` upright. `orientation` 1 to 8 as EXIF defines them. LIMN_E_NOMEM. */
limn_status limn_image_orient(limn_image *image, unsigned orientation, limn_error *err);

#endif

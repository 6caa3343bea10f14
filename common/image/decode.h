/* Decodes images from bytes; the format is detected from the content.
 *
 *     bytes  ->  limn_image_decode  ->  RGB8, upright
 *
 * All input is hostile: sizes are checked from the header before anything is decoded, and an
 * incomplete image is an error, never a half-grey image. Re-entrant. */
#ifndef LIMN_COMMON_IMAGE_DECODE_H
#define LIMN_COMMON_IMAGE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/image.h"

/* Decodes `size` bytes of JPEG, PNG, WebP, GIF, BMP, PNM (PGM and PPM), PSD, TGA or Radiance HDR.
 *
 *   Of an animation the first frame, of a PSD the flattened image. Grey and CMYK are converted;
 *   transparency is blended over white; 16 bit are rounded to 8, the values of HDR are raised to
 *   the power of 1 / 2.2 and cut at 1; colour profiles and gamma are ignored. What no frame of a
 * GIF covers has the transparent colour or else colour 0, not the background that the file names;
 *   pixels that the runs of a BMP leave out have colour 0.
 *   Which side is up: of JPEG, PNG and WebP, from EXIF, or from XMP where EXIF has no such entry;
 *   of PNG, EXIF may also be a text as ImageMagick writes it. A broken EXIF block is ignored, with
 * a note in *err. Bytes after the image are ignored. A JPEG may lack its end when all rows are
 * there.
 *
 * All this is as in Pillow (ImageOps.exif_transpose), whose pixels are the same but for: 16 bit,
 * of which Pillow takes the upper 8 or (grey) cuts off what is above 255; BMP with 16 bits a
 * pixel, up to 1 of 255; alpha of those, which Pillow ignores. tests/diff/compare_pillow.py has
 * the list of all differences.
 *
 * `out` is overwritten, with zeros on failure. Texts begin with the format, not with a file name.
 * LIMN_E_UNSUPPORTED names the format found (AVIF, HEIC, text, …) or says that the bytes
 * are no known image; LIMN_E_LIMIT; LIMN_E_TRUNCATED; LIMN_E_FORMAT; LIMN_E_NOMEM. */
limn_status limn_image_decode(limn_image *out, const void *bytes, size_t size,
                              const limn_image_settings *settings, limn_error *err);

/* Whether limn_image_decode would give this image for the same bytes with this min_side_hint. */
bool limn_image_suits_hint(const limn_image *image, uint32_t min_side_hint);

#endif

/* Checks for formats whose magic number is not enough. Internal to this folder. `size` may be
 * small. */
#ifndef LIMN_COMMON_IMAGE_FORMAT_PROBE_H
#define LIMN_COMMON_IMAGE_FORMAT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A BMP, not a text that begins with "BM". */
bool limn_probe_bmp(const uint8_t *bytes, size_t size);
/* After the two letters white space, then a number or a comment, as in all kinds of PNM. */
bool limn_probe_pnm(const uint8_t *bytes, size_t size);
bool limn_probe_riff(const uint8_t *bytes, size_t size); /* a RIFF file, of any kind */
/* An icon or a cursor. */
bool limn_probe_icon(const uint8_t *bytes, size_t size);
/* A TGA, which has no magic: its fields make sense together. */
bool limn_probe_tga(const uint8_t *bytes, size_t size);

/* Of a TIFF: whether its first directory is a camera's DNG. */
bool limn_probe_dng(const uint8_t *bytes, size_t size);
/* Whether its first directory is that of a camera's RAW file, and the camera's maker begins with
 * `maker`. (An editor's TIFF is not a RAW file: it has an ordinary image there, and its other
 * directories are smaller copies.) */
bool limn_probe_raw(const uint8_t *bytes, size_t size, const char *maker);

/* An ISO base media file (HEIF, MP4 …), of one of the given brands, four letters each. */
bool limn_probe_brands(const uint8_t *bytes, size_t size, const char *brands);
bool limn_probe_media(const uint8_t *bytes, size_t size); /* of any */

/* Text: no control characters but white space and escapes. */
bool limn_probe_text(const uint8_t *bytes, size_t size);
bool limn_probe_html(const uint8_t *bytes, size_t size);
bool limn_probe_svg(const uint8_t *bytes, size_t size);
bool limn_probe_eps(const uint8_t *bytes, size_t size); /* PostScript that is an image */
bool limn_probe_xbm(const uint8_t *bytes, size_t size); /* C that is one: its width is defined */

#endif

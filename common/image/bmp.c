/* BMP: the header is checked here, stb_image reads the pixels.
 *
 * stb_image leaves colours beyond the palette uninitialised and reads zeros past the end. */
#include "common/image/codec.h"

#include <string.h>

#include "common/image/bytes.h"
#include "common/image/image_stb.h"

#define FILE_HEADER_SIZE 14
#define CORE_HEADER_SIZE 12   /* OS/2 1.x: 16-bit sides, palette of three bytes a colour */
#define MASKS_HEADER_SIZE 108 /* from here on the header itself has an alpha mask */

enum { COMPRESSION_NONE = 0, COMPRESSION_BITFIELDS = 3 };

typedef struct bmp_header {
    uint32_t size, width, height, bits_per_pixel, compression;
    uint32_t pixels_at; /* offset from the file's start */
    size_t row_size;    /* bytes, a multiple of 4 */
    size_t n_colours;   /* of the palette, as stb_image counts them */
} bmp_header;

/* Heights are signed: negative ones are stored top row first. */
static uint32_t magnitude(uint32_t two_complement)
{
    return two_complement & 0x80000000u ? 0u - two_complement : two_complement;
}

static limn_status truncated(const limn_codec_input *in, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "BMP: the data end after %zu bytes", in->size);
}

static limn_status read_header(bmp_header *h, const limn_codec_input *in, limn_error *err)
{
    const uint8_t *p = in->bytes;
    if (in->size < FILE_HEADER_SIZE + CORE_HEADER_SIZE) return truncated(in, err);
    h->pixels_at = limn_u32le(p + 10);
    h->size = limn_u32le(p + 14);
    if (h->size == CORE_HEADER_SIZE) {
        h->width = limn_u16le(p + 18);
        h->height = limn_u16le(p + 20);
        h->bits_per_pixel = limn_u16le(p + 24);
        return LIMN_OK;
    }
    if (h->size != 40 && h->size != 56 && h->size != MASKS_HEADER_SIZE && h->size != 124)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: header of %u bytes", h->size);
    if (in->size < FILE_HEADER_SIZE + (size_t)h->size) return truncated(in, err);
    h->width = limn_u32le(p + 18);
    h->height = magnitude(limn_u32le(p + 22));
    h->bits_per_pixel = limn_u16le(p + 28);
    h->compression = limn_u32le(p + 30);
    return LIMN_OK;
}

static limn_status check_kind(const bmp_header *h, limn_error *err)
{
    bool has_masks = h->compression == COMPRESSION_BITFIELDS;
    uint32_t bits = h->bits_per_pixel;
    if (h->compression != COMPRESSION_NONE && !has_masks)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: compression %u", h->compression);
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: %u bits a pixel", bits);
    return LIMN_OK;
}

/* stb_image takes all between header and pixels for the palette. */
static limn_status check_palette(bmp_header *h, limn_error *err)
{
    size_t colour_size = h->size == CORE_HEADER_SIZE ? 3 : 4;
    size_t at = FILE_HEADER_SIZE + (size_t)h->size;
    if (h->bits_per_pixel > 8) return LIMN_OK;
    if (h->pixels_at < at + colour_size || (h->pixels_at - at) / colour_size > 256)
        return limn_fail(err, LIMN_E_FORMAT,
                         "BMP: pixels at byte %u leave no palette of 1 to 256 "
                         "colours after byte %zu",
                         h->pixels_at, at);
    h->n_colours = (h->pixels_at - at) / colour_size;
    return LIMN_OK;
}

static limn_status check_data_size(bmp_header *h, const limn_codec_input *in, limn_error *err)
{
    h->row_size = ((size_t)h->width * h->bits_per_pixel + 31) / 32 * 4; /* sides are below 2^16 */
    if (h->pixels_at > in->size || h->row_size > (in->size - h->pixels_at) / h->height)
        return limn_fail(err, LIMN_E_TRUNCATED, "BMP: %zu bytes can't hold %u x %u pixels",
                         in->size, h->width, h->height);
    return LIMN_OK;
}

static limn_status check_row_colours(const bmp_header *h, const uint8_t *row, limn_error *err)
{
    unsigned bits = h->bits_per_pixel, per_byte = 8 / bits, mask = (1u << bits) - 1;
    for (uint32_t x = 0; x < h->width; x++) {
        unsigned shift = (per_byte - 1 - x % per_byte) * bits;
        unsigned colour = row[x / per_byte] >> shift & mask;
        if (colour >= h->n_colours)
            return limn_fail(err, LIMN_E_FORMAT, "BMP: colour %u of a palette of %zu", colour,
                             h->n_colours);
    }
    return LIMN_OK;
}

static limn_status check_colours(const bmp_header *h, const limn_codec_input *in, limn_error *err)
{
    if (h->bits_per_pixel > 8 || h->n_colours >> h->bits_per_pixel > 0) return LIMN_OK;
    for (uint32_t y = 0; y < h->height; y++)
        LIMN_TRY(check_row_colours(h, in->bytes + h->pixels_at + y * h->row_size, err));
    return LIMN_OK;
}

limn_status limn_decode_bmp(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    bmp_header h = { 0 };
    bool has_alpha;
    (void)orientation;
    LIMN_TRY(read_header(&h, in, err));
    LIMN_TRY(check_kind(&h, err));
    LIMN_TRY(limn_image_check_size("BMP", h.width, h.height, in->settings, err));
    LIMN_TRY(check_palette(&h, err));
    LIMN_TRY(check_data_size(&h, in, err));
    LIMN_TRY(check_colours(&h, in, err));
    /* Without masks the fourth byte of 32-bit pixels means nothing. */
    has_alpha = h.compression == COMPRESSION_BITFIELDS && h.size >= MASKS_HEADER_SIZE;
    return limn_stb_decode(out, "BMP", h.width, h.height, has_alpha, in, err);
}

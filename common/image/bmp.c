/* BMP: the header is checked here; stb_image reads the pixels of plain files, bmp_unusual.c those
 * of others.
 *
 * stb_image 2.27 misreads OS/2 headers (it leaves colours uninitialised) and headers of 52 and 56
 * bytes, pixel data that doesn't follow the header at once, run-length encoding, and masks of more
 * than 8 bits; it reads colours beyond the palette from uninitialised memory, and zeros past the
 * end. */
#include "common/image/bmp.h"

#include <string.h>

#include "common/image/bytes.h"
#include "common/image/image_stb.h"

enum {
    FILE_HEADER_SIZE = 14,
    OS2_HEADER_SIZE = 12,     /* 16-bit sides, a palette of three bytes a colour */
    OS2_V2_HEADER_SIZE = 64,  /* or less: 16 and more bytes of it */
    WINDOWS_HEADER_SIZE = 40, /* masks, if any, come after it; from 52 bytes on it has them */
    ALPHA_HEADER_SIZE = 56,   /* and from here on one for alpha */
    V4_HEADER_SIZE = 108,
    V5_HEADER_SIZE = 124,
    MAX_COLOURS = 256,
};

static limn_status truncated(const limn_codec_input *in, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "BMP: the data ends after %zu bytes", in->size);
}

/* ---- the header ---------------------------------------------------------------------------- */

/* Heights are signed: negative ones are stored top row first. */
static void read_height(limn_bmp_header *h, uint32_t two_complement)
{
    h->is_top_down = two_complement & 0x80000000u;
    h->height = h->is_top_down ? 0u - two_complement : two_complement;
}

static bool is_known_size(uint32_t size)
{
    return (size >= 16 && size <= OS2_V2_HEADER_SIZE && size % 2 == 0) || size == V4_HEADER_SIZE ||
           size == V5_HEADER_SIZE;
}

/* Whether the header of OS/2 2.x: compressions beyond the runs mean others there. */
static bool is_os2_v2(const limn_bmp_header *h)
{
    return h->size >= 16 && h->size <= OS2_V2_HEADER_SIZE && h->size != WINDOWS_HEADER_SIZE &&
           h->size != 52 && h->size != ALPHA_HEADER_SIZE;
}

static limn_status read_sizes(limn_bmp_header *h, size_t *n_declared, const limn_codec_input *in,
                              limn_error *err)
{
    const uint8_t *p = in->bytes;
    if (in->size < FILE_HEADER_SIZE + OS2_HEADER_SIZE) return truncated(in, err);
    h->pixels_at = limn_u32le(p + 10);
    h->size = limn_u32le(p + 14);
    if (h->size == OS2_HEADER_SIZE) {
        h->width = limn_u16le(p + 18);
        h->height = limn_u16le(p + 20);
        h->bits_per_pixel = limn_u16le(p + 24);
        return LIMN_OK;
    }
    if (!is_known_size(h->size))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: header of %u bytes", h->size);
    if (in->size < FILE_HEADER_SIZE + (size_t)h->size) return truncated(in, err);
    h->width = limn_u32le(p + 18);
    read_height(h, limn_u32le(p + 22));
    h->bits_per_pixel = limn_u16le(p + 28);
    if (h->size >= 20) h->compression = limn_u32le(p + 30);
    if (h->size >= 36) *n_declared = limn_u32le(p + 46);
    return LIMN_OK;
}

static limn_status check_kind(const limn_bmp_header *h, limn_error *err)
{
    uint32_t bits = h->bits_per_pixel, compression = h->compression;
    bool is_known = compression <= LIMN_BMP_MASKS || compression == LIMN_BMP_ALPHA_MASKS;
    if (!is_known || (is_os2_v2(h) && compression > LIMN_BMP_RLE4))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: compression %u", compression);
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: %u bits per pixel", bits);
    if ((compression == LIMN_BMP_RLE8 && bits != 8) || (compression == LIMN_BMP_RLE4 && bits != 4))
        return limn_fail(err, LIMN_E_FORMAT, "BMP: compression %u with %u bits per pixel",
                         compression, bits);
    return LIMN_OK;
}

static void set_masks(limn_bmp_header *h, uint32_t red, uint32_t green, uint32_t blue,
                      uint32_t alpha)
{
    h->masks[LIMN_BMP_RED] = red;
    h->masks[LIMN_BMP_GREEN] = green;
    h->masks[LIMN_BMP_BLUE] = blue;
    h->masks[LIMN_BMP_ALPHA] = alpha;
}

/* One piece of bits without holes. */
static bool is_run_of_bits(uint32_t mask)
{
    uint32_t low = mask & (0u - mask);
    return mask && !((mask + low) & mask);
}

/* Without masks of their own, pixels of 16 bits have 5 of each colour; the fourth byte of those of
 * 32 means nothing. Masks that are all zero stand for the usual ones, as in Pillow. */
static limn_status read_masks(limn_bmp_header *h, const limn_codec_input *in, limn_error *err)
{
    const uint8_t *p = in->bytes + FILE_HEADER_SIZE + WINDOWS_HEADER_SIZE;
    bool has_alpha = h->size >= ALPHA_HEADER_SIZE || h->compression == LIMN_BMP_ALPHA_MASKS;
    if (h->bits_per_pixel == 16) set_masks(h, 0x7C00, 0x3E0, 0x1F, 0);
    if (h->bits_per_pixel == 32) set_masks(h, 0xFF0000, 0xFF00, 0xFF, 0);
    if (h->compression != LIMN_BMP_MASKS && h->compression != LIMN_BMP_ALPHA_MASKS) return LIMN_OK;
    if (h->size == WINDOWS_HEADER_SIZE) h->masks_size = has_alpha ? 16 : 12;
    if (FILE_HEADER_SIZE + h->size + h->masks_size > in->size) return truncated(in, err);
    if (h->bits_per_pixel != 16 && h->bits_per_pixel != 32) return LIMN_OK;
    set_masks(h, limn_u32le(p), limn_u32le(p + 4), limn_u32le(p + 8),
              has_alpha ? limn_u32le(p + 12) : 0);
    if (h->bits_per_pixel == 32 && !h->masks[0] && !h->masks[1] && !h->masks[2])
        set_masks(h, 0xFF0000, 0xFF00, 0xFF, 0xFF000000);
    for (int i = 0; i < LIMN_BMP_N_MASKS; i++)
        if (!is_run_of_bits(h->masks[i]) && (i < LIMN_BMP_ALPHA || h->masks[i]))
            return limn_fail(err, LIMN_E_UNSUPPORTED, "BMP: mask 0x%08x", h->masks[i]);
    return LIMN_OK;
}

/* All between header and pixels may be used as palette; where the pixels seem to begin in its
 * place, or nowhere, they begin after it. */
static limn_status find_palette(limn_bmp_header *h, size_t n_declared, const limn_codec_input *in,
                                limn_error *err)
{
    size_t n_most = (size_t)1 << (h->bits_per_pixel < 8 ? h->bits_per_pixel : 8), left;
    h->palette_at = FILE_HEADER_SIZE + h->size + h->masks_size;
    if (h->pixels_at == 0) h->pixels_at = (uint32_t)h->palette_at;
    if (h->bits_per_pixel > 8 && h->pixels_at < h->palette_at)
        return limn_fail(err, LIMN_E_FORMAT, "BMP: pixels at byte %u, in the header", h->pixels_at);
    if (h->bits_per_pixel > 8) return LIMN_OK;
    h->colour_size = h->size == OS2_HEADER_SIZE ? 3 : 4;
    if (h->pixels_at == h->palette_at) {
        if (n_declared == 0 || n_declared > MAX_COLOURS) n_declared = n_most;
        h->pixels_at += (uint32_t)(n_declared * h->colour_size);
    }
    left = h->pixels_at < in->size ? h->pixels_at : in->size;
    left = left > h->palette_at ? left - h->palette_at : 0;
    h->n_colours = left / h->colour_size;
    if (h->n_colours == 0)
        return limn_fail(err, LIMN_E_FORMAT, "BMP: no palette between byte %zu and the pixels",
                         h->palette_at);
    return LIMN_OK;
}

static bool is_packed(const limn_bmp_header *h)
{
    return h->compression == LIMN_BMP_RLE8 || h->compression == LIMN_BMP_RLE4;
}

/* The bytes that fill up the last row may be missing. */
static limn_status check_data_size(limn_bmp_header *h, const limn_codec_input *in, limn_error *err)
{
    size_t n_bits = (size_t)h->width * h->bits_per_pixel; /* sides are below 2^16 */
    size_t needed;
    h->row_size = (n_bits + 31) / 32 * 4;
    needed = h->row_size * (h->height - 1) + (n_bits + 7) / 8;
    if (h->pixels_at <= in->size && (is_packed(h) || needed <= in->size - h->pixels_at))
        return LIMN_OK;
    return limn_fail(err, LIMN_E_TRUNCATED, "BMP: %zu bytes can't hold %u x %u pixels", in->size,
                     h->width, h->height);
}

/* ---- plain files --------------------------------------------------------------------------- */

static bool has_wide_mask(const limn_bmp_header *h)
{
    for (int i = 0; i < LIMN_BMP_N_MASKS; i++)
        if (h->masks[i] / (h->masks[i] ? h->masks[i] & (0u - h->masks[i]) : 1) > 255) return true;
    return false;
}

/* Whether stb_image reads it correctly. It takes everything between header and pixels for the
 * palette. */
static bool is_plain(const limn_bmp_header *h, const limn_codec_input *in)
{
    bool is_v4 = h->size == V4_HEADER_SIZE || h->size == V5_HEADER_SIZE;
    if (h->size != WINDOWS_HEADER_SIZE && !is_v4) return false;
    if (h->pixels_at != limn_u32le(in->bytes + 10)) return false;
    if (h->row_size > (in->size - h->pixels_at) / h->height) return false;
    if (limn_u16le(in->bytes + 26) != 1 || h->bits_per_pixel == 2) return false; /* planes */
    if (h->compression == LIMN_BMP_MASKS ? h->bits_per_pixel != 16 && h->bits_per_pixel != 32
                                         : h->compression != LIMN_BMP_NONE)
        return false;
    if (h->bits_per_pixel <= 8) return !h->masks_size && h->n_colours <= MAX_COLOURS;
    return h->pixels_at == h->palette_at && !has_wide_mask(h);
}

static limn_status check_row_colours(const limn_bmp_header *h, const uint8_t *row, limn_error *err)
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

static limn_status check_colours(const limn_bmp_header *h, const limn_codec_input *in,
                                 limn_error *err)
{
    if (h->bits_per_pixel > 8 || is_packed(h) || h->n_colours >> h->bits_per_pixel > 0)
        return LIMN_OK;
    for (uint32_t y = 0; y < h->height; y++)
        LIMN_TRY(check_row_colours(h, in->bytes + h->pixels_at + y * h->row_size, err));
    return LIMN_OK;
}

limn_status limn_decode_bmp(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    limn_bmp_header h = { 0 };
    size_t n_declared = 0;
    (void)orientation;
    LIMN_TRY(read_sizes(&h, &n_declared, in, err));
    LIMN_TRY(check_kind(&h, err));
    LIMN_TRY(limn_image_check_size("BMP", h.width, h.height, in->settings, err));
    LIMN_TRY(read_masks(&h, in, err));
    LIMN_TRY(find_palette(&h, n_declared, in, err));
    LIMN_TRY(check_data_size(&h, in, err));
    LIMN_TRY(check_colours(&h, in, err));
    if (!is_plain(&h, in)) return limn_bmp_decode_unusual(out, &h, in, err);
    return limn_stb_decode(out, "BMP", h.width, h.height, h.masks[LIMN_BMP_ALPHA] != 0, in, err);
}

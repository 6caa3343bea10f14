#include "common/image/bmp.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/image/bytes.h"

/* A run of pixels takes two bytes and stands for at most 255 of them. */
enum { MAX_PIXELS_PER_BYTE = 128 };

static uint8_t *row_of(const limn_image *out, const limn_bmp_header *h, uint32_t y)
{
    return out->pixels + (size_t)(h->is_top_down ? y : h->height - 1 - y) * h->width * 3;
}

/* ---- colours of a palette ------------------------------------------------------------------ */

static limn_status put_colour(uint8_t *rgb, unsigned colour, const limn_bmp_header *h,
                              const limn_codec_input *in, limn_error *err)
{
    const uint8_t *bgr = in->bytes + h->palette_at + colour * h->colour_size;
    if (colour >= h->n_colours)
        return limn_fail(err, LIMN_E_FORMAT, "BMP: colour %u of a palette of %zu", colour,
                         h->n_colours);
    rgb[0] = bgr[2];
    rgb[1] = bgr[1];
    rgb[2] = bgr[0];
    return LIMN_OK;
}

static limn_status read_palette_row(uint8_t *rgb, const uint8_t *row, const limn_bmp_header *h,
                                    const limn_codec_input *in, limn_error *err)
{
    unsigned bits = h->bits_per_pixel, per_byte = 8 / bits, mask = (1u << bits) - 1;
    for (uint32_t x = 0; x < h->width; x++) {
        unsigned shift = (per_byte - 1 - x % per_byte) * bits;
        LIMN_TRY(put_colour(rgb + 3 * x, row[x / per_byte] >> shift & mask, h, in, err));
    }
    return LIMN_OK;
}

/* ---- colours of their own ------------------------------------------------------------------ */

/* The bits under the mask as 8 bits: fewer are repeated, of more the first count. */
static uint8_t sample(uint32_t pixel, uint32_t mask)
{
    uint32_t value = pixel & mask;
    unsigned n_bits = 0;
    if (!mask) return 255; /* no mask for alpha: opaque */
    for (; !(mask & 0x80000000u); mask <<= 1) value <<= 1;
    for (; mask & 0x80000000u; mask <<= 1) n_bits++;
    for (; n_bits < 8; n_bits *= 2) value |= value >> n_bits;
    return (uint8_t)(value >> 24);
}

static void read_colour_row(uint8_t *rgb, const uint8_t *row, const limn_bmp_header *h)
{
    for (uint32_t x = 0; x < h->width; x++, rgb += 3)
        if (h->bits_per_pixel == 24) {
            for (int c = 0; c < 3; c++) rgb[c] = row[3 * (size_t)x + 2 - c];
        } else {
            uint32_t pixel = h->bits_per_pixel == 16 ? limn_u16le(row + 2 * (size_t)x)
                                                     : limn_u32le(row + 4 * (size_t)x);
            uint8_t rgba[4];
            for (int c = 0; c < 4; c++) rgba[c] = sample(pixel, h->masks[c]);
            limn_image_flatten(rgb, rgba, 1);
        }
}

static limn_status read_rows(limn_image *out, const limn_bmp_header *h, const limn_codec_input *in,
                             limn_error *err)
{
    for (uint32_t y = 0; y < h->height; y++) {
        const uint8_t *row = in->bytes + h->pixels_at + y * h->row_size;
        if (h->bits_per_pixel <= 8)
            LIMN_TRY(read_palette_row(row_of(out, h, y), row, h, in, err));
        else
            read_colour_row(row_of(out, h, y), row, h);
    }
    return LIMN_OK;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* Rows of pairs of bytes: n > 0 and a colour (RLE4: two in turn), n times; 0 and n > 2: n colours
 * follow; 0, 0: the row ends; 0, 1: the image ends; 0, 2 and two more: to the right and up. */
typedef struct run_reader {
    const limn_bmp_header *h;
    const limn_codec_input *in;
    size_t at;
    uint32_t x, y;
    bool has_end;
} run_reader;

static bool take(run_reader *r, size_t n)
{
    if (n > r->in->size - r->at) return false;
    r->at += n;
    return true;
}

/* The i-th colour of those that begin at `p`. */
static unsigned colour_at(const run_reader *r, const uint8_t *p, unsigned i)
{
    if (r->h->compression == LIMN_BMP_RLE8) return p[i];
    return i % 2 ? p[i / 2] & 15u : p[i / 2] >> 4;
}

/* Colours beyond the row are dropped. */
static limn_status put_run(limn_image *out, run_reader *r, const uint8_t *p, unsigned n,
                           bool is_repeated, limn_error *err)
{
    unsigned period = r->h->compression == LIMN_BMP_RLE8 ? 1 : 2;
    for (unsigned i = 0; i < n && r->x < r->h->width && r->y < r->h->height; i++, r->x++)
        LIMN_TRY(put_colour(row_of(out, r->h, r->y) + 3 * (size_t)r->x,
                            colour_at(r, p, is_repeated ? i % period : i), r->h, r->in, err));
    return LIMN_OK;
}

/* What follows a zero; false when the data end. */
static bool read_escape(limn_image *out, run_reader *r, unsigned code, limn_status *s,
                        limn_error *err)
{
    const uint8_t *p = r->in->bytes + r->at;
    if (code == 0) {
        r->x = 0;
        r->y++;
    } else if (code == 1) {
        r->has_end = true;
    } else if (code == 2) {
        if (!take(r, 2)) return false;
        r->x += p[0];
        r->y += p[1];
    } else {
        size_t n_bytes = r->h->compression == LIMN_BMP_RLE8 ? code : (code + 1) / 2;
        if (!take(r, n_bytes)) return false;
        *s = put_run(out, r, p, code, false, err);
        if (n_bytes % 2) (void)take(r, 1); /* a byte that fills the pair up */
    }
    return true;
}

static limn_status read_runs(limn_image *out, const limn_bmp_header *h, const limn_codec_input *in,
                             limn_error *err)
{
    run_reader r = { .h = h, .in = in, .at = h->pixels_at };
    limn_status s = LIMN_OK;
    bool is_there = true;
    while (s == LIMN_OK && is_there && !r.has_end && r.y < h->height &&
           !(r.y == h->height - 1 && r.x >= h->width)) {
        const uint8_t *pair = in->bytes + r.at;
        is_there = take(&r, 2);
        if (is_there && pair[0])
            s = put_run(out, &r, pair + 1, pair[0], true, err);
        else if (is_there)
            is_there = read_escape(out, &r, pair[1], &s, err);
    }
    if (s == LIMN_OK && !is_there)
        s = limn_fail(err, LIMN_E_TRUNCATED, "BMP: the data ends in row %u of %u", r.y, h->height);
    return s;
}

/* Pixels that no run reaches have colour 0. */
static limn_status fill(limn_image *out, const limn_bmp_header *h, const limn_codec_input *in,
                        limn_error *err)
{
    size_t n = (size_t)h->width * h->height;
    for (size_t i = 0; i < n; i++) LIMN_TRY(put_colour(out->pixels + 3 * i, 0, h, in, err));
    return LIMN_OK;
}

limn_status limn_bmp_decode_unusual(limn_image *out, const limn_bmp_header *h,
                                    const limn_codec_input *in, limn_error *err)
{
    bool is_packed = h->compression == LIMN_BMP_RLE8 || h->compression == LIMN_BMP_RLE4;
    uint64_t n_pixels = (uint64_t)h->width * h->height;
    if (is_packed && n_pixels / MAX_PIXELS_PER_BYTE > in->size)
        return limn_fail(err, LIMN_E_TRUNCATED, "BMP: %zu bytes can't hold %u x %u pixels",
                         in->size, h->width, h->height);
    LIMN_TRY(limn_image_reserve(out, "BMP", h->width, h->height, err));
    if (!is_packed) return read_rows(out, h, in, err);
    LIMN_TRY(fill(out, h, in, err));
    return read_runs(out, h, in, err);
}

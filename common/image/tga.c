/* TGA: header, palette and length are checked here, stb_image reads the pixels.
 *
 * What stb_image 2.27 reads wrongly does not come to it: colours beyond the palette, data that end
 * too early (it goes on with zeros). A palette that does not begin at colour 0 is filled up first.
 * It does not know of images stored from right to left either; they come out mirrored and are
 * turned afterwards. The fourth byte of a pixel is transparency unless the file says that it is
 * not; the bit beside 15 bits of colour means nothing. */
#include "common/image/codec.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/image/bytes.h"
#include "common/image/image_stb.h"

#define FOOTER "TRUEVISION-XFILE." /* and the NUL of the literal */

enum { HEADER_SIZE = 18, PALETTE = 1, COLOUR = 2, GREY = 3, PACKED = 8 };
enum { FROM_RIGHT = 0x10, MIRRORED = 2 /* as EXIF says it */ };
enum { FOOTER_SIZE = 26, ATTRIBUTES_AT = 494 /* in the extension area; 0: no transparency */ };

typedef struct tga {
    const limn_codec_input *in;
    uint32_t width, height, bits, flags;
    uint32_t type;                                 /* PALETTE, COLOUR or GREY */
    bool is_packed;                                /* in runs */
    uint32_t first_colour, n_colours, colour_bits; /* of the palette; n_colours 0: none */
    size_t pixels_at, pixel_size;
} tga;

static limn_status read_header(tga *t, limn_error *err)
{
    const uint8_t *h = t->in->bytes; /* limn_probe_tga saw all of it */
    t->type = h[2] & ~(unsigned)PACKED;
    t->is_packed = (h[2] & PACKED) != 0;
    t->first_colour = limn_u16le(h + 3);
    t->n_colours = h[1] ? limn_u16le(h + 5) : 0;
    t->colour_bits = h[7];
    t->width = limn_u16le(h + 12);
    t->height = limn_u16le(h + 14);
    t->bits = h[16];
    t->flags = h[17];
    t->pixel_size = (t->bits + 7) / 8;
    return limn_image_check_size("TGA", t->width, t->height, t->in->settings, err);
}

static limn_status check_kind(tga *t, limn_error *err)
{
    uint32_t bits = t->colour_bits;
    if (t->type != PALETTE && t->n_colours)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: a palette and colours without it");
    if (t->n_colours && t->first_colour + t->n_colours > 65535)
        return limn_fail(err, LIMN_E_FORMAT, "TGA: %u colours from %u on", t->n_colours,
                         t->first_colour);
    if (t->type == PALETTE && !t->n_colours)
        return limn_fail(err, LIMN_E_FORMAT, "TGA: no palette");
    if (t->type == PALETTE && bits != 15 && bits != 16 && bits != 24 && bits != 32)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: %u bits per palette colour", bits);
    if (t->type == COLOUR && t->bits == 8)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: %u bits per pixel", t->bits);
    if (t->type == GREY && t->bits != 8 && t->bits != 16)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: %u bits of grey", t->bits);
    t->pixels_at = HEADER_SIZE + t->in->bytes[0] + (size_t)t->n_colours * ((bits + 7) / 8);
    return LIMN_OK;
}

static limn_status too_short(const tga *t, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "TGA: %zu bytes can't hold %u x %u pixels", t->in->size,
                     t->width, t->height);
}

static limn_status check_colours(const tga *t, const uint8_t *pixels, size_t n, limn_error *err)
{
    for (size_t i = 0; t->type == PALETTE && i < n; i++)
        if (pixels[i] < t->first_colour || pixels[i] - t->first_colour >= t->n_colours)
            return limn_fail(err, LIMN_E_FORMAT, "TGA: colour %u of a palette of %u from %u on",
                             pixels[i], t->n_colours, t->first_colour);
    return LIMN_OK;
}

/* Follows the runs: a byte n below 128, then n + 1 pixels; above: a pixel that stands for n - 127.
 */
static limn_status check_runs(const tga *t, limn_error *err)
{
    size_t n_pixels = (size_t)t->width * t->height, n = 0, at = t->pixels_at;
    while (n < n_pixels) {
        size_t length, n_stored;
        if (at >= t->in->size) return too_short(t, err);
        length = (t->in->bytes[at] & 127u) + 1;
        n_stored = t->in->bytes[at] & 128 ? 1 : length;
        if (n_stored > n_pixels - n) n_stored = n_pixels - n;
        at++;
        if (n_stored * t->pixel_size > t->in->size - at) return too_short(t, err);
        LIMN_TRY(check_colours(t, t->in->bytes + at, n_stored, err));
        at += n_stored * t->pixel_size;
        n += length;
    }
    return LIMN_OK;
}

static limn_status check_pixels(const tga *t, limn_error *err)
{
    size_t n_pixels = (size_t)t->width * t->height;
    if (t->pixels_at > t->in->size) return too_short(t, err);
    if (t->is_packed) return check_runs(t, err);
    if (n_pixels > (t->in->size - t->pixels_at) / t->pixel_size) return too_short(t, err);
    return check_colours(t, t->in->bytes + t->pixels_at, n_pixels, err);
}

/* Version 2 of the format says in its extension area whether there is transparency. */
static bool is_said_opaque(const limn_codec_input *in)
{
    const uint8_t *footer = in->bytes + in->size - FOOTER_SIZE;
    size_t extension;
    if (in->size < FOOTER_SIZE || memcmp(footer + 8, FOOTER, sizeof FOOTER) != 0) return false;
    extension = limn_u32le(footer);
    return extension && extension + ATTRIBUTES_AT < in->size &&
           in->bytes[extension + ATTRIBUTES_AT] == 0;
}

static bool has_alpha(const tga *t)
{
    if (t->type == PALETTE) return t->colour_bits == 32;
    if (t->type == GREY) return t->bits == 16;
    return t->bits == 32 && !is_said_opaque(t->in);
}

/* The file with colours that are not used before those of its palette. */
static limn_status decode_filled_up(limn_image *out, const tga *t, limn_error *err)
{
    size_t palette_at = HEADER_SIZE + (size_t)t->in->bytes[0];
    size_t n_more = (size_t)t->first_colour * ((t->colour_bits + 7) / 8);
    uint32_t n_colours = t->first_colour + t->n_colours;
    uint8_t *copy = limn_calloc(t->in->size + n_more, 1);
    limn_codec_input in = { copy, t->in->size + n_more, t->in->settings };
    limn_status s;
    if (!copy) return limn_fail(err, LIMN_E_NOMEM, "TGA: no memory for the palette");
    memcpy(copy, t->in->bytes, palette_at);
    memcpy(copy + palette_at + n_more, t->in->bytes + palette_at, t->in->size - palette_at);
    copy[3] = copy[4] = 0;
    copy[5] = (uint8_t)n_colours;
    copy[6] = (uint8_t)(n_colours >> 8);
    s = limn_stb_decode(out, "TGA", t->width, t->height, has_alpha(t), &in, err);
    limn_free(copy);
    return s;
}

limn_status limn_decode_tga(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    tga t = { .in = in };
    LIMN_TRY(read_header(&t, err));
    LIMN_TRY(check_kind(&t, err));
    LIMN_TRY(check_pixels(&t, err));
    if (t.flags & FROM_RIGHT) *orientation = MIRRORED;
    if (t.n_colours && t.first_colour) return decode_filled_up(out, &t, err);
    return limn_stb_decode(out, "TGA", t.width, t.height, has_alpha(&t), in, err);
}

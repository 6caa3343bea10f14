/* TGA: header, palette and length are checked here, stb_image reads the pixels.
 *
 * What stb_image 2.27 reads wrongly does not come to it: a palette that does not begin at colour 0,
 * colours beyond the palette, data that end too early (it goes on with zeros). It does not know of
 * pictures stored from right to left either; they come out mirrored and are turned afterwards. */
#include "common/image/codec.h"

#include "common/image/bytes.h"
#include "common/image/image_stb.h"

enum { HEADER_SIZE = 18, PALETTE = 1, COLOUR = 2, GREY = 3, PACKED = 8 };
enum { FROM_RIGHT = 0x10, MIRRORED = 2 /* as EXIF says it */ };

typedef struct tga {
    const limn_codec_input *in;
    uint32_t width, height, bits, flags;
    uint32_t type;                   /* PALETTE, COLOUR or GREY */
    bool is_packed;                  /* in runs */
    uint32_t n_colours, colour_bits; /* of the palette; 0: none */
    size_t pixels_at, pixel_size;
} tga;

static limn_status read_header(tga *t, limn_error *err)
{
    const uint8_t *h = t->in->bytes; /* limn_probe_tga saw all of it */
    t->type = h[2] & ~(unsigned)PACKED;
    t->is_packed = (h[2] & PACKED) != 0;
    t->n_colours = h[1] ? limn_u16le(h + 5) : 0;
    t->colour_bits = h[7];
    t->width = limn_u16le(h + 12);
    t->height = limn_u16le(h + 14);
    t->bits = h[16];
    t->flags = h[17];
    t->pixel_size = (t->bits + 7) / 8;
    LIMN_TRY(limn_image_check_size("TGA", t->width, t->height, t->in->settings, err));
    if (h[1] && limn_u16le(h + 3) > 0)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: a palette from colour %u on",
                         limn_u16le(h + 3));
    return LIMN_OK;
}

static limn_status check_kind(tga *t, limn_error *err)
{
    uint32_t bits = t->colour_bits;
    if (t->type != PALETTE && t->n_colours)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: a palette and colours without it");
    if (t->type == PALETTE && !t->n_colours)
        return limn_fail(err, LIMN_E_FORMAT, "TGA: no palette");
    if (t->type == PALETTE && bits != 15 && bits != 16 && bits != 24 && bits != 32)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: %u bits a colour of the palette", bits);
    if (t->type == COLOUR && t->bits == 8)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "TGA: %u bits a pixel", t->bits);
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
        if (pixels[i] >= t->n_colours)
            return limn_fail(err, LIMN_E_FORMAT, "TGA: colour %u of a palette of %u", pixels[i],
                             t->n_colours);
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

limn_status limn_decode_tga(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    tga t = { .in = in };
    bool has_alpha;
    LIMN_TRY(read_header(&t, err));
    LIMN_TRY(check_kind(&t, err));
    LIMN_TRY(check_pixels(&t, err));
    has_alpha =
        t.type == PALETTE ? t.colour_bits == 32 : t.bits == 32 || (t.type == GREY && t.bits == 16);
    if (t.flags & FROM_RIGHT) *orientation = MIRRORED;
    return limn_stb_decode(out, "TGA", t.width, t.height, has_alpha, in, err);
}

/* PSD: the flattened image that Photoshop stores after the layers, row by row from its channels.
 *
 * stb_image reads this format too, but computes negative numbers into bytes where there is
 * transparency (undefined in C), and reads nothing but RGB. */
#include "common/image/codec.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/image/bytes.h"

enum { HEADER_SIZE = 26, MAX_CHANNELS = 4, PALETTE_SIZE = 768 };
enum { MODE_GREY = 1, MODE_INDEXED = 2, MODE_RGB = 3, MODE_CMYK = 4, MODE_DUOTONE = 8 };
enum { COMPRESSION_NONE = 0, COMPRESSION_PACKBITS = 1 };

typedef struct psd {
    const limn_codec_input *in;
    uint32_t width, height, depth, mode, compression;
    uint32_t n_stored;       /* channels in the file */
    uint32_t n_used;         /* of them, the first */
    size_t row_size;         /* bytes of a row of a channel, unpacked */
    size_t palette_at;       /* [3, 256] red, green, blue */
    size_t sizes_at;         /* packed: [n_stored, height] 16-bit sizes of rows */
    size_t at[MAX_CHANNELS]; /* of each channel's next row */
} psd;

static limn_status truncated(const psd *p, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "PSD: the data ends after %zu bytes", p->in->size);
}

/* Moves over a section that begins with its size. */
static limn_status skip_section(const psd *p, size_t *at, limn_error *err)
{
    size_t size;
    if (p->in->size - *at < 4) return truncated(p, err);
    size = limn_u32be(p->in->bytes + *at);
    if (size > p->in->size - *at - 4) return truncated(p, err);
    *at += 4 + size;
    return LIMN_OK;
}

/* Channels that the mode needs; RGB with a fourth has transparency. */
static limn_status choose_channels(psd *p, limn_error *err)
{
    static const uint8_t needed[] = {
        [MODE_GREY] = 1, [MODE_INDEXED] = 1, [MODE_RGB] = 3, [MODE_CMYK] = 4, [MODE_DUOTONE] = 1
    };
    p->n_used = p->mode < sizeof needed ? needed[p->mode] : 0;
    if (!p->n_used)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "PSD: colour mode %u is not supported", p->mode);
    if (p->depth != 8 && (p->depth != 16 || p->mode == MODE_INDEXED))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "PSD: %u bits per sample", p->depth);
    if (p->n_stored < p->n_used)
        return limn_fail(err, LIMN_E_FORMAT, "PSD: %u channels where its mode has %u", p->n_stored,
                         p->n_used);
    if (p->mode == MODE_RGB && p->n_stored == 4) p->n_used = 4;
    return LIMN_OK;
}

static limn_status read_header(psd *p, limn_error *err)
{
    const uint8_t *h = p->in->bytes;
    if (p->in->size < HEADER_SIZE) return truncated(p, err);
    p->n_stored = limn_u16be(h + 12);
    p->height = limn_u32be(h + 14);
    p->width = limn_u32be(h + 18);
    p->depth = limn_u16be(h + 22);
    p->mode = limn_u16be(h + 24);
    LIMN_TRY(limn_image_check_size("PSD", p->width, p->height, p->in->settings, err));
    LIMN_TRY(choose_channels(p, err));
    p->row_size = (size_t)p->width * (p->depth / 8);
    return LIMN_OK;
}

/* Where the rows are: behind the palette, the resources and the layers. */
static limn_status find_rows(psd *p, size_t *at, limn_error *err)
{
    *at = HEADER_SIZE;
    p->palette_at = *at + 4;
    LIMN_TRY(skip_section(p, at, err));
    if (p->mode == MODE_INDEXED && *at - p->palette_at < PALETTE_SIZE)
        return limn_fail(err, LIMN_E_FORMAT, "PSD: a palette of %zu bytes, not %d",
                         *at - p->palette_at, PALETTE_SIZE);
    LIMN_TRY(skip_section(p, at, err));
    LIMN_TRY(skip_section(p, at, err));
    if (p->in->size - *at < 2) return truncated(p, err);
    p->compression = limn_u16be(p->in->bytes + *at);
    *at += 2;
    if (p->compression > COMPRESSION_PACKBITS)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "PSD: compression %u", p->compression);
    return LIMN_OK;
}

static size_t packed_size(const psd *p, size_t channel, uint32_t y)
{
    return limn_u16be(p->in->bytes + p->sizes_at + 2 * (channel * p->height + y));
}

/* Finds the first row of each channel, and that all rows are there. */
static limn_status find_channels(psd *p, size_t at, limn_error *err)
{
    size_t left = p->in->size - at, table_size = 2 * (size_t)p->n_stored * p->height;
    bool is_packed = p->compression == COMPRESSION_PACKBITS;
    if (is_packed) {
        if (table_size > left) return truncated(p, err);
        p->sizes_at = at;
        at += table_size;
    }
    for (size_t channel = 0; channel < p->n_used; channel++) {
        size_t size = is_packed ? 0 : p->row_size * p->height;
        p->at[channel] = at;
        for (uint32_t y = 0; is_packed && y < p->height; y++) size += packed_size(p, channel, y);
        if (size > p->in->size - at)
            return limn_fail(err, LIMN_E_TRUNCATED, "PSD: %zu bytes can't hold %u x %u pixels",
                             p->in->size, p->width, p->height);
        at += size;
    }
    return LIMN_OK;
}

/* A byte n below 128: the next n + 1 as they are; above: the next one 257 - n times. What goes past
 * the row is dropped. */
static bool unpack(uint8_t *out, size_t out_size, const uint8_t *in, size_t in_size)
{
    size_t n = 0, at = 0;
    while (n < out_size && at + 1 < in_size) {
        unsigned code = in[at++];
        size_t length = code < 128 ? code + 1 : 257 - code;
        size_t kept = length < out_size - n ? length : out_size - n;
        if (code == 128) continue;
        if (code < 128 && kept > in_size - at) return false;
        if (code < 128)
            memcpy(out + n, in + at, kept);
        else
            memset(out + n, in[at], kept);
        at += code < 128 ? length : 1;
        n += kept;
    }
    return n == out_size;
}

/* samples [width, MAX_CHANNELS] u8 of row y; `row` is scratch of row_size bytes. */
static limn_status read_row(uint8_t *samples, uint8_t *row, psd *p, uint32_t y, limn_error *err)
{
    for (size_t c = 0; c < p->n_used; c++) {
        const uint8_t *from = p->in->bytes + p->at[c];
        size_t size = p->row_size;
        if (p->compression == COMPRESSION_PACKBITS) {
            size = packed_size(p, c, y);
            if (!unpack(row, p->row_size, from, size))
                return limn_fail(err, LIMN_E_FORMAT, "PSD: row %u does not hold %u pixels", y,
                                 p->width);
            from = row;
        }
        p->at[c] += size;
        for (uint32_t x = 0; x < p->width; x++)
            samples[MAX_CHANNELS * x + c] =
                p->depth == 8 ? from[x] : limn_u16_to_u8(limn_u16be(from + 2 * x));
    }
    return LIMN_OK;
}

static void convert_row(uint8_t *rgb, const uint8_t *samples, const psd *p)
{
    const uint8_t *palette = p->in->bytes + p->palette_at;
    if (p->mode == MODE_CMYK) {
        limn_image_flatten_inks(rgb, samples, p->width);
    } else if (p->mode == MODE_RGB && p->n_used == 4) {
        limn_image_flatten(rgb, samples, p->width);
    } else {
        for (uint32_t x = 0; x < p->width; x++, rgb += 3, samples += MAX_CHANNELS)
            for (size_t c = 0; c < 3; c++)
                rgb[c] = p->mode == MODE_RGB       ? samples[c]
                         : p->mode == MODE_INDEXED ? palette[256 * c + samples[0]]
                                                   : samples[0];
    }
}

limn_status limn_decode_psd(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    psd p = { .in = in };
    uint8_t *samples = NULL;
    size_t at;
    limn_status s = LIMN_OK;
    (void)orientation;
    LIMN_TRY(read_header(&p, err));
    LIMN_TRY(find_rows(&p, &at, err));
    LIMN_TRY(find_channels(&p, at, err));
    LIMN_TRY(limn_image_reserve(out, "PSD", p.width, p.height, err));
    samples = limn_alloc(p.width, MAX_CHANNELS + 2); /* and a row of a channel */
    if (!samples) return limn_fail(err, LIMN_E_NOMEM, "PSD: no memory for a row");
    for (uint32_t y = 0; s == LIMN_OK && y < p.height; y++) {
        s = read_row(samples, samples + (size_t)p.width * MAX_CHANNELS, &p, y, err);
        if (s == LIMN_OK) convert_row(out->pixels + (size_t)y * p.width * 3, samples, &p);
    }
    limn_free(samples);
    return s;
}

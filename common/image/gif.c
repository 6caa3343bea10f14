/* GIF: structure and length of the first picture are checked here, stb_image reads the pixels.
 *
 * stb_image takes the end of the data for the end of the picture and returns what it has; so the
 * code lengths are followed first to see that every pixel of the frame is there. */
#include "common/image/codec.h"

#include <string.h>

#include "common/image/bytes.h"
#include "common/image/image_stb.h"

#define HEADER_SIZE 13
#define DESCRIPTOR_SIZE 10
#define MAX_CODES 4096
#define MAX_CODE_BITS 12

enum { EXTENSION = 0x21, IMAGE_DESCRIPTOR = 0x2C, TRAILER = 0x3B };

typedef struct gif_cursor {
    const uint8_t *bytes;
    size_t size, at;
} gif_cursor;

static limn_status truncated(const gif_cursor *c, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "GIF: the data end after %zu bytes", c->size);
}

/* Moves on by n bytes, which must be there. */
static limn_status skip(gif_cursor *c, size_t n, limn_error *err)
{
    if (n > c->size - c->at) return truncated(c, err);
    c->at += n;
    return LIMN_OK;
}

static size_t palette_size(uint8_t flags)
{
    return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* Blocks of up to 255 bytes, each after its length; one of length 0 ends them. */
static limn_status skip_blocks(gif_cursor *c, limn_error *err)
{
    size_t length;
    do {
        if (c->at == c->size) return truncated(c, err);
        length = c->bytes[c->at];
        LIMN_TRY(skip(c, 1 + length, err));
    } while (length > 0);
    return LIMN_OK;
}

/* Moves to the first image descriptor. */
static limn_status find_frame(gif_cursor *c, limn_error *err)
{
    LIMN_TRY(skip(c, HEADER_SIZE, err));
    LIMN_TRY(skip(c, palette_size(c->bytes[10]), err));
    while (c->at < c->size && c->bytes[c->at] == EXTENSION) {
        LIMN_TRY(skip(c, 2, err));
        LIMN_TRY(skip_blocks(c, err));
    }
    if (c->at == c->size) return truncated(c, err);
    if (c->bytes[c->at] == TRAILER) return limn_fail(err, LIMN_E_FORMAT, "GIF: no picture inside");
    if (c->bytes[c->at] != IMAGE_DESCRIPTOR)
        return limn_fail(err, LIMN_E_FORMAT, "GIF: unknown block 0x%02x at byte %zu",
                         c->bytes[c->at], c->at);
    return LIMN_OK;
}

/* The codes of a picture: bits, lowest first, of the blocks' bytes. */
typedef struct code_reader {
    gif_cursor *cursor;
    size_t block_left; /* bytes of the current block */
    uint32_t bits;
    unsigned n_bits;
} code_reader;

/* False at the end of blocks or data. */
static bool read_code(unsigned *code, code_reader *r, unsigned n_bits)
{
    gif_cursor *c = r->cursor;
    while (r->n_bits < n_bits) {
        if (r->block_left == 0) {
            if (c->at == c->size || c->bytes[c->at] == 0) return false;
            r->block_left = c->bytes[c->at++];
        }
        if (c->at == c->size) return false;
        r->bits |= (uint32_t)c->bytes[c->at++] << r->n_bits;
        r->n_bits += 8;
        r->block_left--;
    }
    *code = r->bits & ((1u << n_bits) - 1);
    r->bits >>= n_bits;
    r->n_bits -= n_bits;
    return true;
}

/* How many pixels the codes from the cursor stand for; stops when `enough` are seen. */
static uint64_t count_pixels(gif_cursor *c, unsigned root_bits, uint64_t enough)
{
    uint16_t lengths[MAX_CODES]; /* pixels of each code */
    code_reader r = { .cursor = c };
    const unsigned clear = 1u << root_bits;
    unsigned n_codes = clear + 2, n_bits = root_bits + 1, code, last = clear;
    uint64_t n_pixels = 0;
    for (unsigned i = 0; i < clear; i++) lengths[i] = 1;
    while (n_pixels < enough && read_code(&code, &r, n_bits) && code != clear + 1) {
        if (code == clear) {
            n_codes = clear + 2;
            n_bits = root_bits + 1;
        } else {
            if (last != clear && n_codes < MAX_CODES)
                lengths[n_codes++] = (uint16_t)(lengths[last] + 1);
            if (code >= n_codes) break;
            n_pixels += lengths[code];
            if (n_codes == 1u << n_bits && n_bits < MAX_CODE_BITS) n_bits++;
        }
        last = code;
    }
    return n_pixels;
}

static limn_status check_frame(gif_cursor *c, limn_error *err)
{
    const uint8_t *descriptor = c->bytes + c->at;
    uint64_t n_expected, n_found;
    unsigned root_bits;
    LIMN_TRY(skip(c, DESCRIPTOR_SIZE, err));
    n_expected = (uint64_t)limn_u16le(descriptor + 5) * limn_u16le(descriptor + 7);
    LIMN_TRY(skip(c, palette_size(descriptor[9]) + 1, err));
    root_bits = c->bytes[c->at - 1];
    if (n_expected == 0) return limn_fail(err, LIMN_E_FORMAT, "GIF: a frame without pixels");
    if (root_bits < 1 || root_bits > 8)
        return limn_fail(err, LIMN_E_FORMAT, "GIF: %u bits a code, not 1 to 8", root_bits);
    n_found = count_pixels(c, root_bits, n_expected);
    if (n_found < n_expected)
        return limn_fail(err, LIMN_E_TRUNCATED, "GIF: %llu of %llu pixels",
                         (unsigned long long)n_found, (unsigned long long)n_expected);
    return LIMN_OK;
}

limn_status limn_decode_gif(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    gif_cursor c = { .bytes = in->bytes, .size = in->size };
    uint32_t width, height;
    (void)orientation;
    if (in->size < HEADER_SIZE) return truncated(&c, err);
    width = limn_u16le(in->bytes + 6);
    height = limn_u16le(in->bytes + 8);
    LIMN_TRY(limn_image_check_size("GIF", width, height, in->settings, err));
    LIMN_TRY(find_frame(&c, err));
    LIMN_TRY(check_frame(&c, err));
    return limn_stb_decode(out, "GIF", width, height, true, in, err);
}

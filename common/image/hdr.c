/* Radiance HDR: header and length are checked here, stb_image reads the pixels and makes 8 bit of
 * them: the 1 / 2.2th power of each value, 1.0 and all above it is white. EXPOSURE is ignored.
 *
 * What stb_image 2.27 misreads is refused here: data that ends too early (it uses uninitialised
 * memory, or never ends), old-style run-length encoding, and mixed encodings. */
#include "common/image/codec.h"

#include <ctype.h>
#include <string.h>

#include "common/image/image_stb.h"

#define FORMAT "FORMAT=32-bit_rle_rgbe"

enum { MIN_PACKED_WIDTH = 8, MAX_PACKED_WIDTH = 32767, PIXEL_SIZE = 4, MAX_LINE = 1000 };

typedef struct hdr {
    const limn_codec_input *in;
    size_t at;
    uint32_t width, height;
} hdr;

static limn_status truncated(const hdr *h, limn_error *err)
{
    return limn_fail(err, LIMN_E_TRUNCATED, "HDR: the data ends after %zu bytes", h->in->size);
}

/* The next line of the header, [*size] without its end. */
static limn_status next_line(const char **line, size_t *size, hdr *h, limn_error *err)
{
    const uint8_t *start = h->in->bytes + h->at;
    const uint8_t *end = memchr(start, '\n', h->in->size - h->at);
    if (!end) return truncated(h, err);
    *line = (const char *)start;
    *size = (size_t)(end - start);
    if (*size > MAX_LINE || memchr(start, '\0', *size))
        return limn_fail(err, LIMN_E_FORMAT, "HDR: the header is not text");
    h->at += *size + 1;
    return LIMN_OK;
}

/* "-Y 512": a side; `*line` moves behind it. 0 when it is none. */
static uint32_t read_side(const char **line, const char *sign)
{
    uint32_t value = 0;
    if (strncmp(*line, sign, 3) != 0) return 0;
    *line += 3;
    while (isdigit((unsigned char)**line) && value < 1000000)
        value = value * 10 + (uint32_t)(*(*line)++ - '0');
    return value;
}

static limn_status read_header(hdr *h, limn_error *err)
{
    bool has_format = false;
    const char *line;
    size_t size;
    do {
        LIMN_TRY(next_line(&line, &size, h, err));
        if (size == strlen(FORMAT) && memcmp(line, FORMAT, size) == 0) has_format = true;
    } while (size > 0);
    if (!has_format) return limn_fail(err, LIMN_E_UNSUPPORTED, "HDR: no line \"" FORMAT "\"");
    LIMN_TRY(next_line(&line, &size, h, err));
    h->height = read_side(&line, "-Y ");
    if (*line == ' ') line++;
    h->width = read_side(&line, "+X ");
    if (!h->height || !h->width || *line != '\n')
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "HDR: the size is not given as \"-Y height +X width\"");
    return limn_image_check_size("HDR", h->width, h->height, h->in->settings, err);
}

/* Pixels as they are. One of 1, 1, 1 would repeat the one before it: the old way of packing. */
static limn_status check_flat(const hdr *h, limn_error *err)
{
    size_t n_pixels = (size_t)h->width * h->height;
    if (n_pixels > (h->in->size - h->at) / PIXEL_SIZE)
        return limn_fail(err, LIMN_E_TRUNCATED, "HDR: %zu bytes can't hold %u x %u pixels",
                         h->in->size, h->width, h->height);
    for (size_t i = 0; i < n_pixels; i++)
        if (memcmp(h->in->bytes + h->at + i * PIXEL_SIZE, "\1\1\1", 3) == 0)
            return limn_fail(err, LIMN_E_UNSUPPORTED,
                             "HDR: old-style run-length encoding is not supported");
    return LIMN_OK;
}

/* A byte n up to 128: n bytes as they are; above: the next one n - 128 times. */
static limn_status check_channel(hdr *h, limn_error *err)
{
    uint32_t n = 0;
    while (n < h->width) {
        uint32_t code, length, n_stored;
        if (h->at == h->in->size) return truncated(h, err);
        code = h->in->bytes[h->at++];
        length = code > 128 ? code - 128 : code;
        n_stored = code > 128 ? 1 : code;
        if (length == 0 || length > h->width - n)
            return limn_fail(err, LIMN_E_FORMAT, "HDR: a run of %u pixels where %u are left",
                             length, h->width - n);
        if (n_stored > h->in->size - h->at) return truncated(h, err);
        h->at += n_stored;
        n += length;
    }
    return LIMN_OK;
}

static bool is_packed_row(const hdr *h)
{
    const uint8_t *p = h->in->bytes + h->at;
    return h->in->size - h->at >= PIXEL_SIZE && p[0] == 2 && p[1] == 2 &&
           ((uint32_t)p[2] << 8 | p[3]) == h->width;
}

static limn_status check_rows(hdr *h, limn_error *err)
{
    if (h->width < MIN_PACKED_WIDTH || h->width > MAX_PACKED_WIDTH || !is_packed_row(h))
        return check_flat(h, err);
    for (uint32_t y = 0; y < h->height; y++) {
        if (h->in->size - h->at < PIXEL_SIZE) return truncated(h, err);
        if (!is_packed_row(h))
            return limn_fail(err, LIMN_E_FORMAT, "HDR: row %u is not encoded like the others", y);
        h->at += PIXEL_SIZE;
        for (int channel = 0; channel < 4; channel++) LIMN_TRY(check_channel(h, err));
    }
    return LIMN_OK;
}

limn_status limn_decode_hdr(limn_image *out, unsigned *orientation, const limn_codec_input *in,
                            limn_error *err)
{
    hdr h = { .in = in };
    (void)orientation;
    LIMN_TRY(read_header(&h, err));
    LIMN_TRY(check_rows(&h, err));
    return limn_stb_decode(out, "HDR", h.width, h.height, false, in, err);
}

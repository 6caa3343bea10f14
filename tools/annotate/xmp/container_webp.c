#include <string.h>

#include "tools/annotate/xmp/container.h"

enum {
    HEAD = 12,   /* bytes of "RIFF", a size and "WEBP" */
    FRAME = 8,   /* of a chunk's name and size */
    VP8X = 10,   /* of that chunk's content */
    HAS_XMP = 4, /* flags of VP8X */
    HAS_ALPHA = 16,
};

static size_t number_at(const uint8_t *p)
{
    return (size_t)p[3] << 24 | (size_t)p[2] << 16 | (size_t)p[1] << 8 | p[0];
}

static void append_number(limn_buffer *out, size_t n)
{
    const unsigned char bytes[] = { (unsigned char)n, (unsigned char)(n >> 8),
                                    (unsigned char)(n >> 16), (unsigned char)(n >> 24) };
    limn_buffer_append(out, bytes, sizeof bytes);
}

/* Bytes of the file that the container says it has. */
static size_t riff_end(const limn_container *c)
{
    return 8 + number_at(c->bytes + 4);
}

static limn_status find(limn_container *c, limn_error *err)
{
    const size_t end = riff_end(c);
    if (end > c->size || end < HEAD + FRAME)
        return limn_fail(err, LIMN_E_TRUNCATED, "WebP: has %zu bytes of %zu", c->size, end);
    for (size_t at = HEAD; at < end;) {
        const size_t left = end - at;
        const size_t size = left >= FRAME ? number_at(c->bytes + at + 4) : 0;
        if (left < FRAME || size > left - FRAME || size + size % 2 > left - FRAME)
            return limn_fail(err, LIMN_E_TRUNCATED, "WebP: ends in the chunk at byte %zu", at);
        if (!memcmp(c->bytes + at, "XMP ", 4)) {
            c->at = at;
            c->whole_size = FRAME + size + size % 2;
            return limn_container_keep(c, c->bytes + at + FRAME, size, err);
        }
        at += FRAME + size + size % 2;
    }
    c->at = end; /* a new one is the last */
    return LIMN_OK;
}

/* The chunk VP8X that a file of a single chunk lacks, from the sizes in that. */
static limn_status append_vp8x(limn_buffer *out, const limn_container *c, limn_error *err)
{
    const uint8_t *p = c->bytes + HEAD + FRAME;
    const size_t size = number_at(c->bytes + HEAD + 4);
    uint32_t width, height, flags = HAS_XMP;
    if (!memcmp(c->bytes + HEAD, "VP8 ", 4) && size >= 10 && !memcmp(p + 3, "\x9d\x01\x2a", 3)) {
        width = (p[6] | (uint32_t)p[7] << 8) & 0x3FFF;
        height = (p[8] | (uint32_t)p[9] << 8) & 0x3FFF;
    } else if (!memcmp(c->bytes + HEAD, "VP8L", 4) && size >= 5 && p[0] == 0x2F) {
        const uint32_t bits = (uint32_t)number_at(p + 1);
        width = (bits & 0x3FFF) + 1;
        height = (bits >> 14 & 0x3FFF) + 1;
        if (bits >> 28 & 1) flags |= HAS_ALPHA;
    } else {
        return limn_fail(err, LIMN_E_FORMAT, "WebP: does not begin with an image");
    }
    if (!width || !height) return limn_fail(err, LIMN_E_FORMAT, "WebP: has no pixels");
    const uint32_t w = width - 1, h = height - 1;
    const unsigned char sizes[] = { (unsigned char)w, (unsigned char)(w >> 8), 0,
                                    (unsigned char)h, (unsigned char)(h >> 8), 0 };
    limn_buffer_append(out, "VP8X", 4);
    append_number(out, VP8X);
    append_number(out, flags);
    limn_buffer_append(out, sizes, sizeof sizes);
    return LIMN_OK;
}

/* Sets the flag, or makes room for it. */
static limn_status add_flag(limn_splices *out, const limn_container *c, size_t *growth,
                            limn_error *err)
{
    const bool is_extended = !memcmp(c->bytes + HEAD, "VP8X", 4);
    if (is_extended && number_at(c->bytes + HEAD + 4) < VP8X)
        return limn_fail(err, LIMN_E_FORMAT, "WebP: its header is too short");
    limn_buffer *flag = limn_splices_add(out, is_extended ? HEAD + FRAME : HEAD, is_extended);
    if (!flag) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (!is_extended) {
        LIMN_TRY(append_vp8x(flag, c, err));
        *growth += FRAME + VP8X;
        return LIMN_OK;
    }
    const unsigned char flags = c->bytes[HEAD + FRAME] | HAS_XMP;
    limn_buffer_append(flag, &flags, 1);
    return LIMN_OK;
}

static limn_status append_riff_size(limn_buffer *out, const limn_container *c, size_t growth,
                                    limn_error *err)
{
    const size_t size = riff_end(c) - 8 + growth; /* unsigned: right for negative growth too */
    if (size > 0xFFFFFFFE) return limn_fail(err, LIMN_E_LIMIT, "WebP: would become too large");
    append_number(out, size);
    return LIMN_OK;
}

static limn_status replace(limn_splices *out, const limn_container *c, const limn_buffer *packet,
                           limn_error *err)
{
    const size_t whole_size = FRAME + packet->size + packet->size % 2;
    size_t growth = whole_size - c->whole_size;
    if (!limn_splices_add(out, 4, 4)) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(add_flag(out, c, &growth, err));
    LIMN_TRY(append_riff_size(&out->items[0].bytes, c, growth, err));
    limn_buffer *new = limn_splices_add(out, c->at, c->whole_size);
    if (!new) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_buffer_append(new, "XMP ", 4);
    append_number(new, packet->size);
    limn_buffer_append(new, packet->bytes, packet->size);
    if (packet->size % 2) limn_buffer_append(new, "", 1);
    return LIMN_OK;
}

/* A chunk VP8X stays, as it may be another program's. */
static limn_status cut(limn_splices *out, const limn_container *c, limn_error *err)
{
    limn_buffer *bytes = limn_splices_add(out, 4, 4);
    if (!bytes) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    LIMN_TRY(append_riff_size(bytes, c, (size_t)0 - c->whole_size, err));
    if (!memcmp(c->bytes + HEAD, "VP8X", 4) && number_at(c->bytes + HEAD + 4) >= VP8X) {
        const unsigned char flags = c->bytes[HEAD + FRAME] & (0xFF ^ HAS_XMP);
        if (!(bytes = limn_splices_add(out, HEAD + FRAME, 1)))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        limn_buffer_append(bytes, &flags, 1);
    }
    return limn_container_cut(out, c, err);
}

const limn_container_kind limn_container_webp = {
    .format = "WebP", .find = find, .replace = replace, .remove = cut
};

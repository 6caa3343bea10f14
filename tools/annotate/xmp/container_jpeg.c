#include <string.h>

#include "tools/annotate/xmp/container.h"

enum {
    APP0 = 0xE0,
    APP1 = 0xE1,
    APP2 = 0xE2,
    SOS = 0xDA,
    EOI = 0xD9,
    MAX_SEGMENT = 65535, /* with the two bytes of its size */
};

static const char xmp_name[] = "http://ns.adobe.com/xap/1.0/"; /* with its NUL */
static const char exif_name[] = "Exif\0";

/* A segment with a size: its marker at `at`, its content at at + 4. */
typedef struct segment {
    unsigned marker;
    size_t at, content_size;
} segment;

/* The segment at `at`, fill bytes in front of it skipped. */
static limn_status read_segment(segment *out, const limn_container *c, size_t at, limn_error *err)
{
    while (at + 1 < c->size && c->bytes[at] == 0xFF && c->bytes[at + 1] == 0xFF) at++;
    if (at + 4 > c->size)
        return limn_fail(err, LIMN_E_TRUNCATED, "JPEG: ends among its segments, at byte %zu", at);
    *out = (segment){ .marker = c->bytes[at + 1], .at = at };
    if (c->bytes[at] != 0xFF)
        return limn_fail(err, LIMN_E_FORMAT, "JPEG: no marker at byte %zu", at);
    if (out->marker == SOS || out->marker == EOI) return LIMN_OK;
    const size_t size = (size_t)c->bytes[at + 2] << 8 | c->bytes[at + 3];
    if (size < 2 || size > c->size - at - 2)
        return limn_fail(err, LIMN_E_TRUNCATED, "JPEG: the segment at byte %zu has %zu bytes", at,
                         size);
    out->content_size = size - 2;
    return LIMN_OK;
}

static bool begins(const limn_container *c, const segment *s, const char *name, size_t size)
{
    return s->content_size >= size && !memcmp(c->bytes + s->at + 4, name, size);
}

/* Looks at a segment; the packet comes behind EXIF when it is new. */
static limn_status visit(limn_container *c, const segment *s, bool *is_head, limn_error *err)
{
    const size_t end = s->at + 4 + s->content_size;
    const bool is_exif = s->marker == APP1 && begins(c, s, exif_name, sizeof exif_name);
    *is_head = *is_head && (s->marker == APP0 || is_exif);
    if (c->whole_size) return LIMN_OK; /* the first one counts */
    if (*is_head) c->at = end;
    if (s->marker == APP2 && begins(c, s, "MPF", 4)) c->is_fixed = true;
    if (s->marker != APP1 || !begins(c, s, xmp_name, sizeof xmp_name)) return LIMN_OK;
    c->at = s->at;
    c->whole_size = end - s->at;
    return limn_container_keep(c, c->bytes + s->at + 4 + sizeof xmp_name,
                               s->content_size - sizeof xmp_name, err);
}

static limn_status find(limn_container *c, limn_error *err)
{
    bool is_head = true;
    segment s = { 0 };
    c->at = 2;
    for (size_t at = 2;; at = s.at + 4 + s.content_size) {
        LIMN_TRY(read_segment(&s, c, at, err));
        if (s.marker == SOS || s.marker == EOI) break;
        LIMN_TRY(visit(c, &s, &is_head, err));
    }
    c->is_fixed = c->is_fixed && c->whole_size; /* a new packet comes in front of the index */
    return LIMN_OK;
}

static limn_status fail_fixed(limn_error *err)
{
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "its XMP comes after an index of further images, which would no longer be "
                     "found; use --sidecar=xmp");
}

static limn_status replace(limn_splices *out, const limn_container *c, const limn_buffer *packet,
                           limn_error *err)
{
    const size_t size = 2 + sizeof xmp_name + packet->size;
    const unsigned char head[] = { 0xFF, APP1, (unsigned char)(size >> 8), (unsigned char)size };
    limn_buffer *new;
    if (size > MAX_SEGMENT)
        return limn_fail(err, LIMN_E_LIMIT,
                         "its XMP would have %zu bytes, but a JPEG has room for only %zu; use "
                         "--sidecar=xmp",
                         packet->size, MAX_SEGMENT - 2 - sizeof xmp_name);
    if (c->is_fixed && 2 + size != c->whole_size) return fail_fixed(err);
    new = limn_splices_add(out, c->at, c->whole_size);
    if (!new) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_buffer_append(new, head, sizeof head);
    limn_buffer_append(new, xmp_name, sizeof xmp_name);
    limn_buffer_append(new, packet->bytes, packet->size);
    return LIMN_OK;
}

static limn_status cut(limn_splices *out, const limn_container *c, limn_error *err)
{
    return c->is_fixed ? fail_fixed(err) : limn_container_cut(out, c, err);
}

const limn_container_kind limn_container_jpeg = {
    .format = "JPEG", .find = find, .replace = replace, .remove = cut
};

#include <string.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "tools/annotate/xmp/container.h"
#include "tools/annotate/xmp/packet_worker.h"

enum {
    SIGNATURE = 8, /* bytes */
    FRAME = 12,    /* bytes of a chunk besides its content: size, name, checksum */
};

static const char keyword[] = "XML:com.adobe.xmp"; /* with its NUL */

static size_t number_at(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void append_number(limn_buffer *out, size_t n)
{
    const unsigned char bytes[] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                    (unsigned char)(n >> 8), (unsigned char)n };
    limn_buffer_append(out, bytes, sizeof bytes);
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status keep_compressed(limn_container *c, const uint8_t *text, size_t size,
                                   limn_error *err)
{
    uLongf n = LIMN_XMP_MAX_SIZE + 1;
    Bytef *out = limn_alloc(n, 1);
    limn_status s;
    if (!out) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const int code = uncompress(out, &n, text, (uLong)size);
    if (code == Z_OK)
        s = limn_container_keep(c, out, n, err);
    else if (code == Z_BUF_ERROR)
        s = limn_fail(err, LIMN_E_LIMIT, "its XMP is truncated or has more than %zu bytes",
                      LIMN_XMP_MAX_SIZE);
    else
        s = limn_fail(err, LIMN_E_FORMAT, "PNG: its XMP can't be decompressed");
    limn_free(out);
    return s;
}

/* The content [size] of a chunk iTXt with the packet: keyword, two bytes on the compression, a
 * language and a translated keyword with a NUL each, and the text. */
static limn_status keep_text(limn_container *c, const uint8_t *content, size_t size,
                             limn_error *err)
{
    const uint8_t *at = content + sizeof keyword + 2, *end = content + size;
    for (int i = 0; i < 2 && at; i++) {
        at = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        if (at) at++;
    }
    if (!at) return limn_fail(err, LIMN_E_FORMAT, "PNG: its XMP chunk is too short");
    if (content[sizeof keyword]) return keep_compressed(c, at, (size_t)(end - at), err);
    return limn_container_keep(c, at, (size_t)(end - at), err);
}

static limn_status find(limn_container *c, limn_error *err)
{
    size_t at = SIGNATURE;
    for (;;) {
        const size_t left = c->size - at;
        const size_t size = left >= FRAME ? number_at(c->bytes + at) : 0;
        if (left < FRAME || size > left - FRAME)
            return limn_fail(err, LIMN_E_TRUNCATED, "PNG: ends in the chunk at byte %zu", at);
        const char *name = (const char *)c->bytes + at + 4;
        if (at == SIGNATURE && memcmp(name, "IHDR", 4))
            return limn_fail(err, LIMN_E_FORMAT, "PNG: its first chunk isn't IHDR");
        if (at == SIGNATURE) c->at = at + FRAME + size; /* a new one comes behind it */
        if (!memcmp(name, "IEND", 4)) return LIMN_OK;
        if (!memcmp(name, "iTXt", 4) && size >= sizeof keyword + 2 &&
            !memcmp(name + 4, keyword, sizeof keyword)) {
            c->at = at;
            c->whole_size = FRAME + size;
            return keep_text(c, c->bytes + at + 8, size, err);
        }
        at += FRAME + size;
    }
}

/* ---- writing ------------------------------------------------------------------------------ */

static limn_status replace(limn_splices *out, const limn_container *c, const limn_buffer *packet,
                           limn_error *err)
{
    static const char rest[4] = { 0 }; /* not compressed, no language, no translated keyword */
    limn_buffer *new = limn_splices_add(out, c->at, c->whole_size);
    if (!new) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    append_number(new, sizeof keyword + sizeof rest + packet->size);
    limn_buffer_append(new, "iTXt", 4);
    limn_buffer_append(new, keyword, sizeof keyword);
    limn_buffer_append(new, rest, sizeof rest);
    limn_buffer_append(new, packet->bytes, packet->size);
    if (new->has_failed) return LIMN_OK; /* as the caller will find */
    append_number(new, crc32(0, (const Bytef *)new->bytes + 4, (uInt)(new->size - 4)));
    return LIMN_OK;
}

const limn_container_kind limn_container_png = {
    .format = "PNG", .find = find, .replace = replace, .remove = limn_container_cut
};

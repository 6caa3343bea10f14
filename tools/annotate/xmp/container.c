#include "tools/annotate/xmp/container.h"

#include <string.h>

#include "common/image/format.h"
#include "tools/annotate/xmp/packet_worker.h"

static const limn_container_kind *const kinds[] = { &limn_container_jpeg, &limn_container_png,
                                                    &limn_container_webp, &limn_container_tiff };

static const limn_container_kind *kind_of(const char *format)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->format, format)) return kinds[i];
    return NULL;
}

static size_t size_without_blanks(const char *text, size_t size)
{
    while (size && (text[size - 1] == '\0' || strchr(" \t\r\n", text[size - 1]))) size--;
    return size;
}

limn_status limn_container_keep(limn_container *c, const void *packet, size_t size, limn_error *err)
{
    const char *text = packet;
    size = size_without_blanks(text, size);
    if (size > LIMN_XMP_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "its XMP has %zu bytes, more than %zu", size,
                         LIMN_XMP_MAX_SIZE);
    limn_buffer_append(&c->packet, text, size);
    return c->packet.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

limn_status limn_container_cut(limn_splices *out, const limn_container *c, limn_error *err)
{
    return limn_splices_add(out, c->at, c->whole_size)
               ? LIMN_OK
               : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

limn_status limn_container_open(limn_container *out, const uint8_t *bytes, size_t size,
                                limn_error *err)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    *out = (limn_container){ .bytes = bytes,
                             .size = size,
                             .kind = format ? kind_of(format->name) : NULL };
    if (!format) return limn_fail(err, LIMN_E_UNSUPPORTED, "unknown format; use --sidecar=xmp");
    if (!out->kind)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "limn can't write XMP into %s; use --sidecar=xmp",
                         format->name);
    return out->kind->find(out, err);
}

static bool is_same_packet(const limn_buffer *a, const limn_buffer *b)
{
    const size_t size = size_without_blanks(b->bytes, b->size);
    return a->size == size && (!size || !memcmp(a->bytes, b->bytes, size));
}

/* Whether the new file is of the same kind and has the packet. Where that was removed there may be
 * another one, which only the first one hid. */
static limn_status check_packet(const limn_buffer *file, const limn_container *old,
                                const limn_buffer *packet, limn_error *err)
{
    limn_container c;
    limn_error reason = { 0 };
    limn_status s = limn_container_open(&c, (const uint8_t *)file->bytes, file->size, &reason);
    const bool is_found =
        s == LIMN_OK && c.kind == old->kind && (!packet->size || is_same_packet(&c.packet, packet));
    limn_container_close(&c);
    if (is_found) return LIMN_OK;
    if (s == LIMN_E_NOMEM) return limn_fail(err, s, "%s", reason.text);
    if (s == LIMN_E_LIMIT) return limn_fail(err, s, "with limn's changes, %s", reason.text);
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "%s: XMP written into it wouldn't be found again; use --sidecar=xmp",
                     old->kind->format);
}

/* A hostile file can be a different one with a packet in it: an offset beyond its end, say, leads
 * somewhere once the packet is there. So the new file is looked at before it is written. */
static limn_status check_new_file(const limn_splices *splices, const limn_container *c,
                                  const limn_buffer *packet, limn_error *err)
{
    limn_buffer file = { 0 };
    limn_status s = limn_splices_append_file(&file, splices, c->bytes, c->size, err);
    if (s == LIMN_OK) s = check_packet(&file, c, packet, err);
    limn_buffer_finish(&file);
    return s;
}

limn_status limn_container_replace(limn_splices *out, const limn_container *c,
                                   const limn_buffer *packet, limn_error *err)
{
    if (packet->size)
        LIMN_TRY(c->kind->replace(out, c, packet, err));
    else
        LIMN_TRY(c->kind->remove(out, c, err));
    LIMN_TRY(limn_splices_check(out, err));
    return check_new_file(out, c, packet, err);
}

void limn_container_close(limn_container *c)
{
    limn_buffer_finish(&c->packet);
    *c = (limn_container){ 0 };
}

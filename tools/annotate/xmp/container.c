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

limn_status limn_container_keep(limn_container *c, const void *packet, size_t size, limn_error *err)
{
    const char *text = packet;
    while (size && (text[size - 1] == '\0' || strchr(" \t\r\n", text[size - 1]))) size--;
    if (size > LIMN_XMP_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "its XMP has %zu bytes, more than %zu", size,
                         LIMN_XMP_MAX_SIZE);
    limn_buffer_append(&c->packet, text, size);
    return c->packet.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
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

limn_status limn_container_replace(limn_splices *out, const limn_container *c,
                                   const limn_buffer *packet, limn_error *err)
{
    LIMN_TRY(c->kind->replace(out, c, packet, err));
    return limn_splices_check(out, err);
}

void limn_container_close(limn_container *c)
{
    limn_buffer_finish(&c->packet);
    *c = (limn_container){ 0 };
}

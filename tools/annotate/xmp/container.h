/* Where image files keep their XMP packet, and how another one takes its place: JPEG (a segment
 * APP1), PNG (a chunk iTXt), WebP (a chunk "XMP "), TIFF (tag 700). All other bytes stay as they
 * are, save the sizes, flags and offsets that say where the packet is. exempi could do this too,
 * but it brings EXIF and IPTC into line with the packet, and so replaces people's texts there.
 *
 * Files may be hostile: every size and offset is checked. Pure. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_CONTAINER_H
#define LIMN_TOOLS_ANNOTATE_XMP_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/annotate/sinks/splice.h"

/* An image file, and what was found in it. */
typedef struct limn_container {
    const uint8_t *bytes; /* [size], borrowed */
    size_t size;
    const struct limn_container_kind *kind;
    limn_buffer packet; /* the packet without blanks after it; empty: there is none */
    /* for the kind */
    size_t at, whole_size; /* of what holds the packet, whole_size bytes; 0: none, and it goes to
                            * `at` */
    size_t entry;          /* TIFF: the packet's entry in its directory; 0: none */
    bool is_fixed;         /* JPEG: what lies behind is found by counting from before */
} limn_container;

/* A kind of file. Functions are given a container that is zeroed but for bytes, size and kind, or
 * as `find` left it. */
typedef struct limn_container_kind {
    const char *format; /* as common/image/format.h names it */
    /* Finds the packet, or the place for one. LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_LIMIT,
     * LIMN_E_UNSUPPORTED, LIMN_E_NOMEM. */
    limn_status (*find)(limn_container *c, limn_error *err);
    /* The splices that put another packet there. LIMN_E_LIMIT: there is no room for it;
     * LIMN_E_UNSUPPORTED, LIMN_E_NOMEM. */
    limn_status (*replace)(limn_splices *out, const limn_container *c, const limn_buffer *packet,
                           limn_error *err);
    /* Those that remove what holds the packet, if there is one. LIMN_E_UNSUPPORTED, LIMN_E_NOMEM.
     */
    limn_status (*remove)(limn_splices *out, const limn_container *c, limn_error *err);
} limn_container_kind;

extern const limn_container_kind limn_container_jpeg, limn_container_png, limn_container_webp,
    limn_container_tiff;

/* Looks at a file's bytes, which must stay until limn_container_close. As `find` above;
 * LIMN_E_UNSUPPORTED also when XMP can't be written into files of this kind: the text says what to
 * do instead. Errors don't name the file. */
limn_status limn_container_open(limn_container *out, const uint8_t *bytes, size_t size,
                                limn_error *err);
/* The splices that put another packet there, or remove it if that is empty. The new file is made in
 * memory, and the packet looked for in it. As `replace` above; also LIMN_E_UNSUPPORTED when the
 * packet would not be found, and LIMN_E_LIMIT when it would have more than LIMN_XMP_MAX_SIZE bytes.
 */
limn_status limn_container_replace(limn_splices *out, const limn_container *c,
                                   const limn_buffer *packet, limn_error *err);
void limn_container_close(limn_container *c); /* accepts a zeroed one */

/* For the kinds: keeps a packet [size] without the blanks and NULs after it. LIMN_E_LIMIT,
 * LIMN_E_NOMEM. */
limn_status limn_container_keep(limn_container *c, const void *packet, size_t size,
                                limn_error *err);
/* For the kinds: removes the bytes of what holds the packet. LIMN_E_NOMEM. */
limn_status limn_container_cut(limn_splices *out, const limn_container *c, limn_error *err);

#endif

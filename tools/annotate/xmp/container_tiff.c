#include <string.h>

#include "tools/annotate/xmp/container.h"

/* The packet is the value of a tag in the first directory. A new directory and a packet that has
 * grown are put at the end of the file: offsets in it stay as they are. */
enum {
    TAG_XMP = 700,
    TYPE_BYTE = 1,
    TYPE_UNDEFINED = 7,
    ENTRY = 12, /* bytes: tag, type, count, value or its offset */
};

static bool is_big_endian(const limn_container *c)
{
    return c->bytes[0] == 'M';
}

static size_t number_at(const limn_container *c, size_t at, size_t n_bytes)
{
    size_t number = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        const size_t k = is_big_endian(c) ? i : n_bytes - 1 - i;
        number = number << 8 | c->bytes[at + k];
    }
    return number;
}

static void append_number(limn_buffer *out, const limn_container *c, size_t number, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        const size_t k = is_big_endian(c) ? n_bytes - 1 - i : i;
        const unsigned char byte = (unsigned char)(number >> 8 * k);
        limn_buffer_append(out, &byte, 1);
    }
}

static size_t directory_at(const limn_container *c)
{
    return number_at(c, 4, 4);
}

static size_t n_entries(const limn_container *c)
{
    return number_at(c, directory_at(c), 2);
}

/* Whether a value of more than 4 bytes has bytes of the header or the directory in it, which would
 * be written over with it. */
static bool is_in_structure(const limn_container *c, size_t value, size_t size)
{
    const size_t begin = directory_at(c), end = begin + 2 + n_entries(c) * ENTRY + 4;
    return size > 4 && (value < 8 || (value < end && value + size > begin));
}

static limn_status find(limn_container *c, limn_error *err)
{
    if (c->size < 8 || number_at(c, 2, 2) != 42)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "limn can't write XMP into BigTIFF; use --sidecar=xmp");
    const size_t at = directory_at(c);
    if (at < 8 || at > c->size - 6 || c->size - at - 6 < n_entries(c) * ENTRY)
        return limn_fail(err, LIMN_E_TRUNCATED,
                         "TIFF: its directory at byte %zu is outside the file", at);
    for (size_t i = 0; i < n_entries(c); i++) {
        const size_t entry = at + 2 + i * ENTRY;
        if (number_at(c, entry, 2) != TAG_XMP) continue;
        const size_t type = number_at(c, entry + 2, 2), size = number_at(c, entry + 4, 4);
        const size_t value = size > 4 ? number_at(c, entry + 8, 4) : entry + 8;
        if ((type != TYPE_BYTE && type != TYPE_UNDEFINED) || value > c->size ||
            size > c->size - value)
            return limn_fail(err, LIMN_E_FORMAT, "TIFF: its XMP is outside the file");
        if (is_in_structure(c, value, size))
            return limn_fail(err, LIMN_E_FORMAT, "TIFF: its XMP overlaps its directory");
        c->entry = entry;
        c->at = value;
        c->whole_size = size;
        return limn_container_keep(c, c->bytes + value, size, err);
    }
    return LIMN_OK;
}

/* Where something new begins: behind the file, at an even byte. */
static size_t end_of(const limn_container *c)
{
    return c->size + c->size % 2;
}

/* In its old place, blanks after it. */
static limn_status replace_in_place(limn_splices *out, const limn_container *c,
                                    const limn_buffer *packet, limn_error *err)
{
    limn_buffer *new = limn_splices_add(out, c->at, c->whole_size);
    if (!new) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_buffer_append(new, packet->bytes, packet->size);
    while (new->size < c->whole_size && !new->has_failed) limn_buffer_append(new, " ", 1);
    return LIMN_OK;
}

static void append_entry(limn_buffer *out, const limn_container *c, size_t size, size_t at)
{
    append_number(out, c, TAG_XMP, 2);
    append_number(out, c, TYPE_BYTE, 2);
    append_number(out, c, size, 4);
    append_number(out, c, at, 4);
}

/* The directory with one more entry, in the order of tags, and the offset of the next one. */
static void append_directory(limn_buffer *out, const limn_container *c, size_t packet_size,
                             size_t packet_at)
{
    const size_t old = directory_at(c) + 2, n = n_entries(c);
    size_t before = 0;
    while (before < n && number_at(c, old + before * ENTRY, 2) < TAG_XMP) before++;
    append_number(out, c, n + 1, 2);
    limn_buffer_append(out, c->bytes + old, before * ENTRY);
    append_entry(out, c, packet_size, packet_at);
    limn_buffer_append(out, c->bytes + old + before * ENTRY, (n - before) * ENTRY + 4);
}

/* The splices in front: to a new entry, or to a new directory. */
static limn_status append_offsets(limn_splices *out, const limn_container *c, size_t packet_size,
                                  limn_error *err)
{
    limn_buffer *offset = limn_splices_add(out, c->entry ? c->entry + 4 : 4, c->entry ? 8 : 4);
    if (!offset) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (c->entry) append_number(offset, c, packet_size, 4);
    append_number(offset, c, c->entry ? end_of(c) : end_of(c) + packet_size + packet_size % 2, 4);
    return LIMN_OK;
}

static limn_status replace(limn_splices *out, const limn_container *c, const limn_buffer *packet,
                           limn_error *err)
{
    const size_t room = c->size + packet->size + 2 + (n_entries(c) + 2) * ENTRY;
    if (c->whole_size > 4 && packet->size <= c->whole_size)
        return replace_in_place(out, c, packet, err);
    if (room > 0xFFFFFFFF || n_entries(c) == 0xFFFF)
        return limn_fail(err, LIMN_E_LIMIT, "TIFF: would become too large; use --sidecar=xmp");
    LIMN_TRY(append_offsets(out, c, packet->size, err));
    limn_buffer *end = limn_splices_add(out, c->size, 0);
    if (!end) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (c->size % 2) limn_buffer_append(end, "", 1);
    limn_buffer_append(end, packet->bytes, packet->size);
    if (packet->size % 2) limn_buffer_append(end, "", 1);
    if (!c->entry) append_directory(end, c, packet->size, end_of(c));
    return LIMN_OK;
}

static void append_zeros(limn_buffer *out, size_t size)
{
    for (size_t i = 0; i < size && !out->has_failed; i++) limn_buffer_append(out, "", 1);
}

static limn_status erase(limn_splices *out, const limn_container *c, limn_error *err)
{
    limn_buffer *zeros = limn_splices_add(out, c->at, c->whole_size);
    if (!zeros) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    append_zeros(zeros, c->whole_size);
    return LIMN_OK;
}

/* The directory without the entry, in its old place. */
static limn_status cut_entry(limn_splices *out, const limn_container *c, limn_error *err)
{
    const size_t at = directory_at(c), n = n_entries(c), end = at + 2 + n * ENTRY + 4;
    limn_buffer *directory = limn_splices_add(out, at, end - at);
    if (!directory) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    append_number(directory, c, n - 1, 2);
    limn_buffer_append(directory, c->bytes + at + 2, c->entry - at - 2);
    limn_buffer_append(directory, c->bytes + c->entry + ENTRY, end - c->entry - ENTRY);
    append_zeros(directory, ENTRY);
    return LIMN_OK;
}

/* The file keeps its size. A directory can't be empty. */
static limn_status cut(limn_splices *out, const limn_container *c, limn_error *err)
{
    const bool is_outside = c->whole_size > 4; /* of the entry */
    if (!c->entry) return LIMN_OK;
    if (is_outside && c->at < c->entry) LIMN_TRY(erase(out, c, err));
    if (n_entries(c) > 1) LIMN_TRY(cut_entry(out, c, err));
    return is_outside && c->at > c->entry ? erase(out, c, err) : LIMN_OK;
}

const limn_container_kind limn_container_tiff = {
    .format = "TIFF", .find = find, .replace = replace, .remove = cut
};

#include "common/io/zip_members.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static limn_status fail_damaged(struct archive *a, limn_error *err)
{
    const char *text = archive_error_string(a);
    return limn_fail(err, LIMN_E_FORMAT, "zip archive: %s", text ? text : "is damaged");
}

/* The archive's own bytes, where stored members are. */
typedef struct archive_bytes {
    const unsigned char *bytes; /* [size] */
    size_t size;
} archive_bytes;

/* Whether a block of a member is in the archive's bytes, right behind the first `done` bytes. */
static bool is_in_place(const limn_zip_member *m, size_t done, const unsigned char *block, size_t n,
                        const archive_bytes *whole)
{
    if (done > 0) return block == m->bytes + done;
    return block >= whole->bytes && n <= whole->size && block <= whole->bytes + (whole->size - n);
}

/* The next `n` bytes of a member; it is copied once a block is somewhere else. */
static limn_status take_block(limn_zip_member *m, size_t done, const unsigned char *block, size_t n,
                              const archive_bytes *whole, limn_error *err)
{
    if (!m->copy && is_in_place(m, done, block, n, whole)) {
        if (done == 0) m->bytes = block;
        return LIMN_OK;
    }
    if (!m->copy) {
        m->copy = limn_alloc(m->size, 1);
        if (!m->copy)
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for %.100s of %zu bytes", m->name,
                             m->size);
        if (done > 0) memcpy(m->copy, m->bytes, done);
        m->bytes = m->copy;
    }
    memcpy(m->copy + done, block, n);
    return LIMN_OK;
}

static limn_status read_blocks(limn_zip_member *m, struct archive *a, const archive_bytes *whole,
                               limn_error *err)
{
    m->bytes = (const unsigned char *)"";
    for (size_t done = 0, n = 0; done < m->size; done += n) {
        const void *block = NULL;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(a, &block, &n, &offset);
        if (result == ARCHIVE_EOF)
            return limn_fail(err, LIMN_E_TRUNCATED,
                             "zip archive: %.100s has %zu bytes, %zu are there", m->name, m->size,
                             done);
        if (result != ARCHIVE_OK) return fail_damaged(a, err);
        if (n == 0) continue;
        if (offset < 0 || (uint64_t)offset != done || n > m->size - done)
            return limn_fail(err, LIMN_E_FORMAT, "zip archive: %.100s has more than %zu bytes",
                             m->name, m->size);
        LIMN_TRY(take_block(m, done, block, n, whole, err));
    }
    return LIMN_OK;
}

/* Reads the member at which libarchive is; `*room` is what all the rest may have together. */
static limn_status read_member(limn_zip_member *m, struct archive *a, struct archive_entry *entry,
                               const archive_bytes *whole, size_t *room, limn_error *err)
{
    const char *name = archive_entry_pathname_utf8(entry);
    const int64_t size = archive_entry_size(entry);
    if (!name || !archive_entry_size_is_set(entry) || size < 0)
        return limn_fail(err, LIMN_E_FORMAT, "zip archive: a member without name or size");
    if ((uint64_t)size > *room)
        return limn_fail(err, LIMN_E_LIMIT,
                         "zip archive: its members, up to %.100s, are larger "
                         "than itself: only stored members are read",
                         name);
    *room -= (size_t)size;
    m->name = limn_strdup(name);
    m->size = (size_t)size;
    if (!m->name) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %.100s", name);
    return read_blocks(m, a, whole, err);
}

/* Room for one more member, zeroed. */
static limn_status add_member(limn_zip_member **out, limn_zip_members *m, limn_error *err)
{
    if (m->n_items == LIMN_ZIP_MAX_MEMBERS)
        return limn_fail(err, LIMN_E_LIMIT, "zip archive: more than %d members",
                         LIMN_ZIP_MAX_MEMBERS);
    if ((m->n_items & (m->n_items - 1)) == 0) { /* 0 or a power of two: double */
        limn_zip_member *grown =
            limn_realloc(m->items, m->n_items ? 2 * m->n_items : 1, sizeof *grown);
        if (!grown) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
        m->items = grown;
    }
    *out = &m->items[m->n_items++];
    **out = (limn_zip_member){ .size = 0 };
    return LIMN_OK;
}

static limn_status read_all(limn_zip_members *m, struct archive *a, const archive_bytes *whole,
                            limn_error *err)
{
    size_t room = whole->size;
    for (;;) {
        struct archive_entry *entry;
        const int result = archive_read_next_header(a, &entry);
        if (result == ARCHIVE_EOF) return LIMN_OK;
        if (result != ARCHIVE_OK) return fail_damaged(a, err);
        if (archive_entry_filetype(entry) == AE_IFDIR) continue;
        limn_zip_member *item = NULL;
        LIMN_TRY(add_member(&item, m, err));
        LIMN_TRY(read_member(item, a, entry, whole, &room, err));
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const limn_zip_member *)a)->name, ((const limn_zip_member *)b)->name);
}

static limn_status sort(limn_zip_members *m, limn_error *err)
{
    if (m->n_items > 1) /* of none, there is no array either */
        qsort(m->items, m->n_items, sizeof *m->items, compare_names);
    for (size_t i = 1; i < m->n_items; i++)
        if (strcmp(m->items[i - 1].name, m->items[i].name) == 0)
            return limn_fail(err, LIMN_E_FORMAT, "zip archive: two members are named %.100s",
                             m->items[i].name);
    return LIMN_OK;
}

limn_status limn_zip_members_read(limn_zip_members *out, const void *bytes, size_t size,
                                  limn_error *err)
{
    const archive_bytes whole = { bytes, size };
    limn_status s;
    struct archive *a = archive_read_new();
    *out = (limn_zip_members){ NULL, 0 };
    if (!a) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, bytes, size) != ARCHIVE_OK)
        s = fail_damaged(a, err);
    else
        s = read_all(out, a, &whole, err);
    if (s == LIMN_OK) s = sort(out, err);
    archive_read_free(a);
    if (s != LIMN_OK) limn_zip_members_finish(out);
    return s;
}

void limn_zip_members_finish(limn_zip_members *m)
{
    for (size_t i = 0; i < m->n_items; i++) {
        limn_free(m->items[i].name);
        limn_free(m->items[i].copy);
    }
    limn_free(m->items);
    *m = (limn_zip_members){ NULL, 0 };
}

const limn_zip_member *limn_zip_members_find(const limn_zip_members *m, const char *name)
{
    const limn_zip_member key = { .name = (char *)name };
    return m->n_items ? bsearch(&key, m->items, m->n_items, sizeof *m->items, compare_names) : NULL;
}

/* APPNOTE.TXT, 4.3: a directory at the end of the archive leads to the members. */
#include "common/metrics/meteor_jar.h"

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "common/base/mem.h"

enum {
    END_SIZE = 22, /* of the record that ends the directory, without its comment */
    MAX_COMMENT = 65535,
    ENTRY_SIZE = 46, /* of an entry of the directory, without its name and what follows */
    LOCAL_SIZE = 30, /* of the header before a member's data, likewise */
    STORED = 0,
    DEFLATED = 8,
};

/* An entry of the directory. */
typedef struct entry {
    unsigned method;
    uint32_t crc;
    size_t packed_size, size, local; /* local: where its own header is */
} entry;

static unsigned u16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return u16(p) | (uint32_t)u16(p + 2) << 16;
}

/* The directory's end, which is followed by a comment of unknown length; NULL when there is
 * none. */
static const unsigned char *find_end(const unsigned char *bytes, size_t size)
{
    if (size < END_SIZE) return NULL;
    for (size_t comment = 0; comment <= MAX_COMMENT && comment + END_SIZE <= size; comment++) {
        const unsigned char *end = bytes + size - END_SIZE - comment;
        if (!memcmp(end, "PK\5\6", 4) && u16(end + 20) == comment) return end;
    }
    return NULL;
}

/* Looks for the entry of that name from `at` on; *is_found says whether there is one. False for a
 * directory that is damaged. */
static bool find_entry(entry *out, bool *is_found, const unsigned char *bytes, size_t size,
                       size_t at, unsigned n_entries, const char *name)
{
    const size_t name_size = strlen(name);
    for (*is_found = false; n_entries > 0 && !*is_found; n_entries--) {
        const unsigned char *e = bytes + at;
        if (at > size || size - at < ENTRY_SIZE || memcmp(e, "PK\1\2", 4) != 0) return false;
        const size_t own = u16(e + 28), whole = ENTRY_SIZE + own + u16(e + 30) + u16(e + 32);
        if (size - at < whole) return false;
        *is_found = own == name_size && !memcmp(e + ENTRY_SIZE, name, own);
        *out = (entry){ u16(e + 10), u32(e + 16), u32(e + 20), u32(e + 24), u32(e + 42) };
        at += whole;
    }
    return true;
}

/* The packed data of an entry; NULL when they are not all there. */
static const unsigned char *data_of(const entry *e, const unsigned char *bytes, size_t size)
{
    const unsigned char *local = bytes + e->local;
    if (e->local > size || size - e->local < LOCAL_SIZE || memcmp(local, "PK\3\4", 4) != 0)
        return NULL;
    const size_t before = LOCAL_SIZE + (size_t)u16(local + 26) + u16(local + 28);
    const size_t left = size - e->local;
    return before <= left && e->packed_size <= left - before ? local + before : NULL;
}

/* False when the data do not come to exactly e->size bytes. */
static bool unpack(char *out, const entry *e, const unsigned char *data)
{
    z_stream z = { .next_in = (unsigned char *)data, /* zlib does not write there */
                   .avail_in = (uInt)e->packed_size,
                   .next_out = (unsigned char *)out,
                   .avail_out = (uInt)e->size };
    if (e->method == STORED) {
        if (e->packed_size == e->size) memcpy(out, data, e->size);
        return e->packed_size == e->size;
    }
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return false;
    const int code = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return code == Z_STREAM_END && z.avail_out == 0;
}

static limn_status read_entry(char **out, const entry *e, const unsigned char *data,
                              const char *name, limn_error *err)
{
    char *text = limn_alloc(e->size + 1, 1);
    if (!text) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (unpack(text, e, data) && crc32(0, (unsigned char *)text, (uInt)e->size) == e->crc) {
        text[e->size] = '\0';
        *out = text;
        return LIMN_OK;
    }
    limn_free(text);
    return limn_fail(err, LIMN_E_FORMAT, "%s: is damaged in the archive", name);
}

limn_status limn_meteor_jar_read(char **out, size_t *out_size, const unsigned char *bytes,
                                 size_t size, const char *name, size_t max_size, limn_error *err)
{
    const unsigned char *end = find_end(bytes, size);
    entry e;
    bool is_found;
    *out = NULL;
    *out_size = 0;
    if (!end || !find_entry(&e, &is_found, bytes, size, u32(end + 16), u16(end + 10), name))
        return limn_fail(err, LIMN_E_FORMAT, "is not a complete zip archive");
    if (!is_found) return LIMN_OK;
    if (e.size > max_size)
        return limn_fail(err, LIMN_E_LIMIT, "%s: %zu bytes are more than %zu", name, e.size,
                         max_size);
    const unsigned char *data = data_of(&e, bytes, size);
    if (!data || (e.method != STORED && e.method != DEFLATED))
        return limn_fail(err, LIMN_E_FORMAT, "%s: %s", name,
                         data ? "is compressed by an unsupported method"
                              : "is truncated in the archive");
    *out_size = e.size;
    return read_entry(out, &e, data, name, err);
}

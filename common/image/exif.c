/* Finds the EXIF orientation: TIFF 6.0, sections 2 and 8 (tag Orientation). */
#include "common/image/codec.h"

#include <string.h>

#define PREFIX "Exif\0" /* and the NUL of the literal: six bytes */
#define MAX_SIZE 65527  /* what fits into a JPEG segment after the prefix */

enum {
    MAX_DIRECTORIES = 16,
    ENTRY_SIZE = 12, /* tag, type, count, and the value or where it is */
    TAG_ORIENTATION = 0x0112,
    TAG_EXIF = 0x8769, /* these lead to directories */
    TAG_GPS = 0x8825,
    TAG_INTEROPERABILITY = 0xA005,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_SSHORT = 8,
    TYPE_SLONG = 9,
    N_TYPES = 13, /* from 1 on */
};

/* ---- loops --------------------------------------------------------------------------------- */

/* Follows the links between directories: a block whose directories form a loop is damaged. */
typedef struct directories {
    const uint8_t *bytes; /* [size] of the TIFF structure */
    size_t size;
    bool is_little_endian;
    size_t offsets[MAX_DIRECTORIES]; /* [n] of those seen */
    bool is_open[MAX_DIRECTORIES];   /* what it leads to is being followed */
    size_t n;
    bool has_loop;
} directories;

static unsigned short_at(const directories *d, size_t at)
{
    if (at > d->size || d->size - at < 2) return 0;
    const unsigned first = d->bytes[at], second = d->bytes[at + 1];
    return d->is_little_endian ? first | second << 8 : first << 8 | second;
}

static size_t long_at(const directories *d, size_t at)
{
    if (at > d->size || d->size - at < 4) return 0;
    const size_t first = short_at(d, at), second = short_at(d, at + 2);
    return d->is_little_endian ? first | second << 16 : first << 16 | second;
}

static bool is_pointer(unsigned tag)
{
    return tag == TAG_EXIF || tag == TAG_GPS || tag == TAG_INTEROPERABILITY;
}

/* Follows what the directory at `offset` leads to, at most MAX_DIRECTORIES deep. */
static void follow(directories *d, size_t offset)
{
    size_t i = 0, at = offset + 2, n_left;
    while (i < d->n && d->offsets[i] != offset) i++;
    d->has_loop = d->has_loop || (i < d->n && d->is_open[i]);
    if (offset < 8 || offset >= d->size || i < d->n || d->n == MAX_DIRECTORIES) return;
    d->offsets[d->n++] = offset;
    d->is_open[i] = true;
    for (n_left = short_at(d, offset); n_left && at + ENTRY_SIZE <= d->size; n_left--) {
        if (is_pointer(short_at(d, at))) follow(d, long_at(d, at + 8));
        at += ENTRY_SIZE;
    }
    if (!n_left) follow(d, long_at(d, at)); /* the next one */
    d->is_open[i] = false;
}

/* Why the TIFF structure can't be used; NULL if it can. */
static const char *find_fault(directories *d)
{
    if (d->size < 8 || (memcmp(d->bytes, "II*", 4) != 0 && memcmp(d->bytes, "MM\0*", 4) != 0))
        return "it has no header";
    d->is_little_endian = d->bytes[0] == 'I';
    follow(d, long_at(d, 4));
    if (!d->n) return "its first directory lies outside";
    return d->has_loop ? "its directories form a loop" : NULL;
}

/* ---- orientation --------------------------------------------------------------------------- */

/* The first whole number of the entry at `at`; 0 for entries of other types and empty ones. More
 * than one of them may not fit the entry, which then says where they are. */
static size_t whole_number(const directories *d, size_t at)
{
    const unsigned type = short_at(d, at + 2);
    const bool is_short = type == TYPE_SHORT || type == TYPE_SSHORT;
    const size_t count = long_at(d, at + 4);
    if ((!is_short && type != TYPE_LONG && type != TYPE_SLONG) || !count) return 0;
    const size_t where = count > (is_short ? 2u : 1u) ? long_at(d, at + 8) : at + 8;
    return is_short ? short_at(d, where) : long_at(d, where);
}

/* Whether an entry has a type, and values that lie inside. */
static bool is_whole(const directories *d, size_t at)
{
    static const uint8_t sizes[N_TYPES] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8 };
    const unsigned type = short_at(d, at + 2);
    const uint64_t size = type < N_TYPES ? (uint64_t)sizes[type] * long_at(d, at + 4) : 0;
    const uint64_t where = size > 4 ? long_at(d, at + 8) : at + 8;
    return size > 0 && size <= d->size && where <= d->size - size;
}

/* The entry of the orientation in the first directory; 0 when there is none. */
static size_t find_entry(const directories *d)
{
    const size_t first = long_at(d, 4);
    size_t n_left = short_at(d, first);
    for (size_t at = first + 2; n_left && at + ENTRY_SIZE <= d->size; at += ENTRY_SIZE, n_left--)
        if (short_at(d, at) == TAG_ORIENTATION && is_whole(d, at)) return at;
    return 0;
}

/* PNG leaves the prefix out, and WebP may; some programs write it twice. */
unsigned limn_exif_orientation(const uint8_t *exif, size_t size, limn_error *err)
{
    for (int i = 0; i < 2 && size >= sizeof PREFIX && !memcmp(exif, PREFIX, sizeof PREFIX); i++) {
        exif += sizeof PREFIX;
        size -= sizeof PREFIX;
    }
    directories d = { .bytes = exif, .size = size < MAX_SIZE ? size : MAX_SIZE };
    const char *fault = find_fault(&d);
    if (fault) {
        limn_note(err, "EXIF was ignored: %s", fault);
        return 0;
    }
    const size_t entry = find_entry(&d), value = entry ? whole_number(&d, entry) : 0;
    if (!entry || (value >= 1 && value <= 8)) return (unsigned)value;
    if (value) /* cameras write 0 for "unknown" */
        limn_note(err, "EXIF was ignored: orientation %zu is not in 1 … 8", value);
    return 1;
}

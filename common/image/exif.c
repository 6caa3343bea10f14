#include "common/image/codec.h"

#include <string.h>

#include <libexif/exif-data.h>

#include "common/base/mem.h"

#define PREFIX "Exif\0" /* and the NUL of the literal: six bytes */
#define MAX_SIZE 65527  /* what fits into a JPEG segment after the prefix; libexif takes no more */

enum { MAX_DIRECTORIES = 16, ENTRY_SIZE = 12 };

/* ---- loops --------------------------------------------------------------------------------- */

/* libexif reads no directory twice and does not tell that it was to. This follows the links between
 * directories and looks at nothing else; reading the entries is libexif's. */
typedef struct directories {
    const uint8_t *bytes; /* [size] of the TIFF structure */
    size_t size;
    ExifByteOrder order;
    size_t offsets[MAX_DIRECTORIES]; /* [n] of those seen */
    bool is_open[MAX_DIRECTORIES];   /* what it leads to is being followed */
    size_t n;
    bool has_loop;
} directories;

static size_t long_at(const directories *d, size_t at)
{
    return at + 4 <= d->size ? exif_get_long((unsigned char *)d->bytes + at, d->order) : 0;
}

static unsigned short_at(const directories *d, size_t at)
{
    return at + 2 <= d->size ? exif_get_short((unsigned char *)d->bytes + at, d->order) : 0;
}

static bool is_pointer(unsigned tag)
{
    return tag == EXIF_TAG_EXIF_IFD_POINTER || tag == EXIF_TAG_GPS_INFO_IFD_POINTER ||
           tag == EXIF_TAG_INTEROPERABILITY_IFD_POINTER;
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

/* Why the TIFF structure is of no use; NULL when it is. */
static const char *find_fault(const uint8_t *bytes, size_t size)
{
    directories d = { .bytes = bytes, .size = size };
    if (size < 8 || (memcmp(bytes, "II*", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return "it has no header";
    d.order = bytes[0] == 'I' ? EXIF_BYTE_ORDER_INTEL : EXIF_BYTE_ORDER_MOTOROLA;
    follow(&d, long_at(&d, 4));
    if (!d.n) return "its first directory lies outside";
    return d.has_loop ? "its directories form a loop" : NULL;
}

/* ---- orientation --------------------------------------------------------------------------- */

/* The (first) whole number that an entry holds; 0 for entries of other kinds. */
static unsigned whole_number(const ExifEntry *entry, ExifByteOrder order)
{
    switch (entry->format) {
    case EXIF_FORMAT_SHORT:
    case EXIF_FORMAT_SSHORT: return entry->size < 2 ? 0 : exif_get_short(entry->data, order);
    case EXIF_FORMAT_LONG:
    case EXIF_FORMAT_SLONG: return entry->size < 4 ? 0 : exif_get_long(entry->data, order);
    default: return 0;
    }
}

static unsigned find_orientation(ExifData *data, limn_error *err)
{
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    unsigned value;
    if (!entry) return 0;
    value = whole_number(entry, exif_data_get_byte_order(data));
    if (value >= 1 && value <= 8) return value;
    if (value) /* cameras write 0 for "unknown" */
        limn_note(err, "EXIF was ignored: orientation %u is not in 1 … 8", value);
    return 1;
}

/* libexif wants the prefix, which PNG leaves out and WebP may: it is always put in front. Some
 * programs write it twice. */
unsigned limn_exif_orientation(const uint8_t *exif, size_t size, limn_error *err)
{
    uint8_t *block = NULL;
    ExifData *data = NULL;
    const char *fault;
    unsigned orientation = 0;
    for (int i = 0; i < 2 && size >= sizeof PREFIX && !memcmp(exif, PREFIX, sizeof PREFIX); i++) {
        exif += sizeof PREFIX;
        size -= sizeof PREFIX;
    }
    if (size > MAX_SIZE) size = MAX_SIZE;
    fault = find_fault(exif, size);
    if (fault) {
        limn_note(err, "EXIF was ignored: %s", fault);
        return 0;
    }
    block = limn_alloc(sizeof PREFIX + size, 1);
    data = exif_data_new();
    if (!block || !data) goto done;
    memcpy(block, PREFIX, sizeof PREFIX);
    memcpy(block + sizeof PREFIX, exif, size);
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_load_data(data, block, (unsigned)(sizeof PREFIX + size));
    orientation = find_orientation(data, err);
done:
    if (data) exif_data_unref(data);
    limn_free(block);
    return orientation;
}

#include "common/image/codec.h"

#include <string.h>

#include <libexif/exif-data.h>

#include "common/base/mem.h"

#define PREFIX "Exif\0" /* and the NUL of the literal: six bytes */
#define MAX_SIZE 65527  /* what fits into a JPEG segment after the prefix; libexif takes no more */

static unsigned find_orientation(ExifData *data)
{
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    unsigned value = 1;
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
        value = exif_get_short(entry->data, exif_data_get_byte_order(data));
    return value >= 1 && value <= 8 ? value : 1;
}

/* libexif wants the prefix, which PNG leaves out and WebP may: it is always put in front. */
unsigned limn_exif_orientation(const uint8_t *exif, size_t size)
{
    uint8_t *block = NULL;
    ExifData *data = NULL;
    unsigned orientation = 1;
    if (size >= sizeof PREFIX && memcmp(exif, PREFIX, sizeof PREFIX) == 0) {
        exif += sizeof PREFIX;
        size -= sizeof PREFIX;
    }
    if (size > MAX_SIZE)
        size = MAX_SIZE;
    block = limn_alloc(sizeof PREFIX + size, 1);
    data = exif_data_new();
    if (!block || !data)
        goto done;
    memcpy(block, PREFIX, sizeof PREFIX);
    if (size)
        memcpy(block + sizeof PREFIX, exif, size);
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_load_data(data, block, (unsigned)(sizeof PREFIX + size));
    orientation = find_orientation(data);
done:
    if (data)
        exif_data_unref(data);
    limn_free(block);
    return orientation;
}

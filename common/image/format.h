/* The table of image formats, with magic numbers and file extensions, for decoding and for walking
 * folders.
 *
 * A format that limn knows and cannot read is in the table too, so that it becomes an error that
 * names it and never a file left out without a word. Another decoder is a row with its function;
 * those that stay out of this library (tools/annotate/decoders) look for rows without a function by
 * their names. */
#ifndef LIMN_COMMON_IMAGE_FORMAT_H
#define LIMN_COMMON_IMAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/image/image.h"

typedef struct limn_codec_input {
    const uint8_t *bytes; /* [size] */
    size_t size;
    const limn_image_settings *settings;
} limn_codec_input;

/* `out` comes zeroed; on failure limn_image_decode frees what it holds. `*orientation` (1 to 8 as
 * EXIF defines them) comes as 1. */
typedef limn_status limn_decode_fn(limn_image *out, unsigned *orientation,
                                   const limn_codec_input *in, limn_error *err);

typedef struct limn_image_format {
    const char *name;       /* "JPEG", "AVIF", "text", "a PDF document" … */
    limn_decode_fn *decode; /* NULL: known, but not read by this build */
    const char *extensions; /* "jpg jpeg": lower case, with a space between; NULL: none */
    enum {
        LIMN_IMAGE_CERTAIN, /* its first bytes prove it */
        /* TGA, XBM …: other files may begin like this. In a folder such a file counts as an image
         * only if its extension says so. */
        LIMN_IMAGE_LIKELY,
        LIMN_IMAGE_NOT, /* no image at all */
    } kind;
} limn_image_format;

enum { LIMN_IMAGE_PROBE_SIZE = 2056 }; /* bytes that limn_image_sniff needs of a file */

/* The format of the bytes, from the first LIMN_IMAGE_PROBE_SIZE of them; NULL if unknown. RAW
 * formats based on TIFF are recognised by their directory, if it is within `size`. */
const limn_image_format *limn_image_sniff(const uint8_t *bytes, size_t size);

/* The format that has this extension [size], without its dot, in any case; NULL: none. */
const limn_image_format *limn_image_format_of_ending(const char *ending, size_t size);

/* The format whose extension `path` has, in any case; NULL when it has none of an image's. */
const limn_image_format *limn_image_format_of_name(const char *path);

#endif

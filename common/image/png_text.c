/* Which side is up, as the chunks of a PNG tell it: eXIf; EXIF as hexadecimal digits in a text, the
 * way of ImageMagick; XMP in a text. What counts is what Pillow looks at. */
#include "common/image/codec.h"

#include <string.h>

#include <zlib.h>

#include "common/base/mem.h"

#define RAW_PROFILE "Raw profile type exif"
#define XMP "XML:com.adobe.xmp"
#define MAX_TEXT (1u << 20) /* bytes of a text unpacked; longer ones are ignored */

typedef struct text_chunk {
    const char *keyword;  /* ends with NUL */
    const uint8_t *value; /* [size] */
    size_t size;
    bool is_packed;
} text_chunk;

/* Moves over the string at the start of the value; false when it has no end. */
static bool skip_string(text_chunk *t)
{
    const uint8_t *end = t->size ? memchr(t->value, '\0', t->size) : NULL;
    if (!end) return false;
    t->size -= (size_t)(end + 1 - t->value);
    t->value = end + 1;
    return true;
}

static bool skip_bytes(text_chunk *t, size_t n)
{
    if (t->size < n) return false;
    t->value += n;
    t->size -= n;
    return true;
}

/* The parts of a chunk tEXt, zTXt or iTXt; false when it is broken or packed in an unknown way. */
static bool read_text(text_chunk *t, const char *name, const uint8_t *data, size_t size)
{
    *t = (text_chunk){ .keyword = (const char *)data, .value = data, .size = size };
    if (!skip_string(t)) return false;
    if (strcmp(name, "tEXt") == 0) return true;
    t->is_packed = true;
    if (strcmp(name, "zTXt") == 0) return skip_bytes(t, 1) && t->value[-1] == 0;
    if (!skip_bytes(t, 2)) return false;
    t->is_packed = t->value[-2] != 0;
    return (!t->is_packed || t->value[-1] == 0) && skip_string(t) && skip_string(t);
}

/* Unpacks the value into *block, which the caller frees, where it is packed. */
static bool unpack(text_chunk *t, uint8_t **block)
{
    uLongf size = MAX_TEXT;
    if (!t->is_packed) return true;
    *block = limn_alloc(MAX_TEXT, 1);
    if (!*block || uncompress(*block, &size, t->value, (uLong)t->size) != Z_OK) return false;
    t->value = *block;
    t->size = size;
    return true;
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\nexif\n   SIZE\n", then hexadecimal digits, from `text` into `out` [at least size / 2]. Returns
 * how many bytes they are; 0 when the text is no such. */
static size_t read_digits(uint8_t *out, const uint8_t *text, size_t size)
{
    size_t n = 0, n_lines = 0, at = 0;
    while (at < size && n_lines < 3) n_lines += text[at++] == '\n';
    for (; at < size; at++) {
        int high, low;
        if (strchr(" \n\r\t", text[at]) && text[at]) continue;
        if (at + 1 == size) return 0;
        high = nibble(text[at]);
        low = nibble(text[++at]);
        if (high < 0 || low < 0) return 0;
        out[n++] = (uint8_t)(high << 4 | low);
    }
    return n;
}

static unsigned profile_orientation(const text_chunk *t, limn_error *err)
{
    uint8_t *exif = limn_alloc(t->size / 2 + 1, 1);
    size_t size = exif ? read_digits(exif, t->value, t->size) : 0;
    unsigned orientation = size ? limn_exif_orientation(exif, size, err) : 0;
    limn_free(exif);
    return orientation;
}

static void add_text(limn_png_orientation *o, text_chunk *t, bool is_plain, limn_error *err)
{
    uint8_t *block = NULL;
    bool is_profile = strcmp(t->keyword, RAW_PROFILE) == 0;
    bool is_xmp = strcmp(t->keyword, XMP) == 0;
    if (is_plain && strcmp(t->keyword, "exif") == 0) {
        o->exif = limn_exif_orientation(t->value, t->size, err);
        o->has_exif = true;
    } else if ((is_profile || is_xmp) && unpack(t, &block)) {
        if (is_profile)
            o->raw_profile = profile_orientation(t, err);
        else
            o->xmp = limn_xmp_orientation(t->value, t->size);
    }
    limn_free(block);
}

void limn_png_orientation_add(limn_png_orientation *o, const char *name, const uint8_t *data,
                              size_t size, limn_error *err)
{
    text_chunk t;
    if (strcmp(name, "eXIf") == 0) {
        o->exif = limn_exif_orientation(data, size, err);
        o->has_exif = true;
    } else if ((strcmp(name, "tEXt") == 0 || strcmp(name, "zTXt") == 0 ||
                strcmp(name, "iTXt") == 0) &&
               read_text(&t, name, data, size)) {
        add_text(o, &t, strcmp(name, "tEXt") == 0, err);
    }
}

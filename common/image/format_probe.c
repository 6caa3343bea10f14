#include "common/image/format_probe.h"

#include <ctype.h>
#include <string.h>

#include "common/image/bytes.h"

static bool has_at(const uint8_t *bytes, size_t size, size_t offset, const char *word)
{
    size_t length = strlen(word);
    return size >= length && offset <= size - length && memcmp(bytes + offset, word, length) == 0;
}

/* ---- by a few fields ----------------------------------------------------------------------- */

/* The second header begins with its size, which is small. */
bool limn_probe_bmp(const uint8_t *bytes, size_t size)
{
    return !limn_probe_text(bytes, size) && (size < 18 || limn_u32le(bytes + 14) < 256);
}

bool limn_probe_pnm(const uint8_t *bytes, size_t size)
{
    size_t at = 2;
    if (size < 3 || !(isspace(bytes[at]) || bytes[at] == '#')) return false;
    while (at < size && isspace(bytes[at])) at++;
    return at == size || bytes[at] == '#' || isdigit(bytes[at]);
}

bool limn_probe_riff(const uint8_t *bytes, size_t size)
{
    return has_at(bytes, size, 0, "RIFF");
}

/* The number of icons, and a byte of the first that is always zero. */
bool limn_probe_icon(const uint8_t *bytes, size_t size)
{
    return size >= 6 && limn_u16le(bytes + 4) > 0 && (size < 10 || bytes[9] == 0);
}

bool limn_probe_tga(const uint8_t *bytes, size_t size)
{
    unsigned has_map, type, map_bits, bits;
    if (size < 18 || limn_probe_text(bytes, size)) return false;
    has_map = bytes[1];
    type = bytes[2] & ~8u;
    map_bits = bytes[7];
    bits = bytes[16];
    if (has_map > 1 || type < 1 || type > 3 || bytes[2] > 11 || bytes[17] & 0xC0) return false;
    if (type == 1 && (!has_map || bits != 8)) return false;
    if (has_map ? map_bits < 15 || map_bits > 32 : map_bits > 32) return false;
    return (bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32) &&
           limn_u16le(bytes + 12) > 0 && limn_u16le(bytes + 14) > 0;
}

/* ---- TIFF ---------------------------------------------------------------------------------- */

enum {
    TAG_SUBFILE_TYPE = 0x00FE, /* bit 0: a smaller copy of another image */
    TAG_PHOTOMETRIC = 0x0106,
    TAG_MAKE = 0x010F,
    TAG_SUB_DIRECTORIES = 0x014A,
    TAG_DNG_VERSION = 0xC612,
};

enum {
    ENTRY_SIZE = 12,
    TYPE_SHORT = 3,
    MAX_SUB_DIRECTORIES = 16,
    FIRST_SENSOR_PHOTOMETRIC = 32768
};

typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool is_big_endian;
} tiff;

static uint32_t value_at(const tiff *t, size_t at, size_t n_bytes)
{
    uint32_t value = 0;
    if (at > t->size || n_bytes > t->size - at) return 0;
    for (size_t i = 0; i < n_bytes; i++) {
        size_t k = t->is_big_endian ? i : n_bytes - 1 - i;
        value = value << 8 | t->bytes[at + k];
    }
    return value;
}

static size_t first_directory(const tiff *t)
{
    return value_at(t, 4, 4);
}

/* Where the entry `tag` of the directory `at` is; 0 when it is not there. */
static size_t find_entry(const tiff *t, size_t at, unsigned tag)
{
    for (unsigned n = value_at(t, at, 2), i = 0; i < n; i++) {
        size_t entry = at + 2 + (size_t)i * ENTRY_SIZE;
        if (entry + ENTRY_SIZE > t->size) return 0;
        if (value_at(t, entry, 2) == tag) return entry;
    }
    return 0;
}

bool limn_probe_dng(const uint8_t *bytes, size_t size)
{
    const tiff t = { bytes, size, size > 0 && bytes[0] == 'M' };
    return find_entry(&t, first_directory(&t), TAG_DNG_VERSION) != 0;
}

/* A number of the directory `at`; 0 when it is not there. */
static uint32_t number_in(const tiff *t, size_t at, unsigned tag)
{
    const size_t entry = find_entry(t, at, tag);
    return entry ? value_at(t, entry + 8, value_at(t, entry + 2, 2) == TYPE_SHORT ? 2 : 4) : 0;
}

static bool is_reduced(const tiff *t, size_t directory)
{
    return number_in(t, directory, TAG_SUBFILE_TYPE) & 1;
}

/* Whether the first directory is an ordinary image, and those below it are smaller copies of it: an
 * editor's file, though the photo is from a camera. */
static bool is_edited(const tiff *t, size_t sub_directories)
{
    const uint32_t n = value_at(t, sub_directories + 4, 4);
    const size_t list = n == 1 ? sub_directories + 8 : value_at(t, sub_directories + 8, 4);
    if (is_reduced(t, first_directory(t)) || n == 0 || n > MAX_SUB_DIRECTORIES ||
        number_in(t, first_directory(t), TAG_PHOTOMETRIC) >= FIRST_SENSOR_PHOTOMETRIC)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!is_reduced(t, value_at(t, list + (size_t)i * 4, 4))) return false;
    return true;
}

bool limn_probe_raw(const uint8_t *bytes, size_t size, const char *maker)
{
    const tiff t = { bytes, size, size > 0 && bytes[0] == 'M' };
    const size_t make = find_entry(&t, first_directory(&t), TAG_MAKE);
    const size_t below = find_entry(&t, first_directory(&t), TAG_SUB_DIRECTORIES);
    return make && below && has_at(bytes, size, value_at(&t, make + 8, 4), maker) &&
           !is_edited(&t, below);
}

/* ---- ISO base media ------------------------------------------------------------------------ */

static bool has_brand(const uint8_t *bytes, const char *brands)
{
    for (; *brands; brands += brands[4] ? 5 : 4)
        if (memcmp(bytes, brands, 4) == 0) return true;
    return false;
}

bool limn_probe_media(const uint8_t *bytes, size_t size)
{
    return has_at(bytes, size, 4, "ftyp");
}

/* AVIF and HEIC may hide behind the general brand "mif1" and list their own after it. */
bool limn_probe_brands(const uint8_t *bytes, size_t size, const char *brands)
{
    size_t box_size, end;
    if (!limn_probe_media(bytes, size)) return false;
    box_size = (size_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    end = box_size < size ? box_size : size;
    for (size_t at = 8; at + 4 <= end; at += 4) /* one of them is the version, no brand's name */
        if (has_brand(bytes + at, brands)) return true;
    return false;
}

/* ---- text ---------------------------------------------------------------------------------- */

enum { TEXT_PROBE_SIZE = 512 };

static size_t probed(size_t size)
{
    return size < TEXT_PROBE_SIZE ? size : TEXT_PROBE_SIZE;
}

bool limn_probe_text(const uint8_t *bytes, size_t size)
{
    static const char allowed[] = "\t\n\v\f\r\x1B";
    for (size_t i = 0; i < probed(size); i++)
        if (bytes[i] == 0x7F || (bytes[i] < 0x20 && !memchr(allowed, bytes[i], sizeof allowed - 1)))
            return false;
    return size > 0;
}

/* Whether `word` (lower case) occurs in what is probed of the text, in any case. */
static bool has_word(const uint8_t *bytes, size_t size, const char *word)
{
    size_t length = strlen(word), n = probed(size);
    for (size_t i = 0; i + length <= n; i++) {
        size_t k = 0;
        while (k < length && (bytes[i + k] | (word[k] >= 'a' ? 0x20 : 0)) == word[k]) k++;
        if (k == length) return true;
    }
    return false;
}

bool limn_probe_svg(const uint8_t *bytes, size_t size)
{
    return limn_probe_text(bytes, size) && has_word(bytes, size, "<svg");
}

bool limn_probe_html(const uint8_t *bytes, size_t size)
{
    return limn_probe_text(bytes, size) &&
           (has_word(bytes, size, "<html") || has_word(bytes, size, "<!doctype html"));
}

bool limn_probe_eps(const uint8_t *bytes, size_t size)
{
    return has_word(bytes, size, " epsf");
}

bool limn_probe_xbm(const uint8_t *bytes, size_t size)
{
    return limn_probe_text(bytes, size) && has_word(bytes, size, "#define") &&
           has_word(bytes, size, "_width ");
}

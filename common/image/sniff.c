#include "common/image/codec.h"

#include <string.h>

#define TEXT_PROBE 512 /* bytes looked at to tell text from other data */

typedef struct magic {
    const char *bytes; /* [size], the first ones of a file */
    size_t size;
    limn_image_format format;
} magic;

/* clang-format off */
#define MAGIC(literal, ...) { literal, sizeof(literal) - 1, { __VA_ARGS__ } }
/* clang-format on */
#define READ(literal, name, decode) MAGIC(literal, name, decode, false)
#define NAMED(literal, name) MAGIC(literal, name, NULL, false)
#define OTHER(literal, name) MAGIC(literal, name, NULL, true)

/* The first that fits counts. */
static const magic magics[] = {
    READ("\xFF\xD8", "JPEG", limn_decode_jpeg),
    READ("\x89PNG\r\n\x1A\n", "PNG", limn_decode_png),
    READ("GIF87a", "GIF", limn_decode_gif),
    READ("GIF89a", "GIF", limn_decode_gif),
    READ("BM", "BMP", limn_decode_bmp),
    READ("P5", "PNM", limn_decode_pnm),
    READ("P6", "PNM", limn_decode_pnm),
    NAMED("P1", "PNM as text"),
    NAMED("P2", "PNM as text"),
    NAMED("P3", "PNM as text"),
    NAMED("P4", "PBM (one bit a pixel)"),
    NAMED("P7\n", "PAM"),
    NAMED("PF\n", "PFM"),
    NAMED("Pf\n", "PFM"),
    NAMED("\xFF\x0A", "JPEG XL"),
    NAMED("\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    NAMED("\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    NAMED("\xFF\x4F\xFF\x51", "JPEG 2000"),
    NAMED("II*\0", "TIFF"),
    NAMED("MM\0*", "TIFF"),
    NAMED("II+\0", "TIFF"),
    NAMED("MM\0+", "TIFF"),
    NAMED("\0\0\1\0", "ICO"),
    NAMED("8BPS", "PSD"),
    NAMED("qoif", "QOI"),
    NAMED("DDS ", "DDS"),
    NAMED("gimp xcf", "XCF"),
    NAMED("\x76\x2F\x31\x01", "OpenEXR"),
    NAMED("#?RADIANCE", "Radiance HDR"),
    NAMED("BPG\xFB", "BPG"),
    NAMED("farbfeld", "farbfeld"),
    OTHER("%PDF", "a PDF document"),
    OTHER("%!PS", "a PostScript document"),
    OTHER("PK\3\4", "a ZIP archive"),
    OTHER("\x1F\x8B", "a gzip file"),
    OTHER("\x1A\x45\xDF\xA3", "a WebM or Matroska video"),
    OTHER("version https://git-lfs", "a Git LFS pointer, not the file itself"),
};

/* Brands of the ISO base media format, whose files begin with a box "ftyp". */
static const magic brands[] = {
    NAMED("avif", "AVIF"), NAMED("avis", "AVIF"), NAMED("heic", "HEIC"), NAMED("heix", "HEIC"),
    NAMED("heim", "HEIC"), NAMED("heis", "HEIC"), NAMED("hevc", "HEIC"), NAMED("hevx", "HEIC"),
};

static const limn_image_format webp = { "WebP", limn_decode_webp, false };
static const limn_image_format riff = { "a RIFF file", NULL, true };
static const limn_image_format heif = { "HEIF", NULL, false };
static const limn_image_format video = { "an MP4 or QuickTime video", NULL, true };
static const limn_image_format svg = { "SVG", NULL, false };
static const limn_image_format html = { "an HTML document", NULL, true };
static const limn_image_format text = { "text", NULL, true };

static bool has_at(const uint8_t *bytes, size_t size, size_t offset, const char *word)
{
    size_t length = strlen(word);
    return size >= length && offset <= size - length && memcmp(bytes + offset, word, length) == 0;
}

static const limn_image_format *find(const magic *list, size_t n, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (size >= list[i].size && memcmp(bytes, list[i].bytes, list[i].size) == 0)
            return &list[i].format;
    return NULL;
}

/* AVIF and HEIC may hide behind the general brand "mif1" and list their own after it. */
static const limn_image_format *sniff_iso_media(const uint8_t *bytes, size_t size)
{
    size_t box_size = (size_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    size_t end = box_size < size ? box_size : size;
    for (size_t at = 8; at + 4 <= end; at += 4) { /* one of them is the version, no brand's name */
        const limn_image_format *f = find(brands, sizeof brands / sizeof *brands, bytes + at, 4);
        if (f) return f;
    }
    return has_at(bytes, size, 8, "mif1") || has_at(bytes, size, 8, "msf1") ? &heif : &video;
}

static bool is_text(const uint8_t *bytes, size_t size)
{
    static const char allowed[] = "\t\n\v\f\r\x1B";
    for (size_t i = 0; i < size && i < TEXT_PROBE; i++)
        if (bytes[i] == 0x7F || (bytes[i] < 0x20 && !memchr(allowed, bytes[i], sizeof allowed - 1)))
            return false;
    return size > 0;
}

/* Case-insensitive: whether `word` (lower case) occurs in what is probed of the text. */
static bool has_word(const uint8_t *bytes, size_t size, const char *word)
{
    size_t length = strlen(word), n = size < TEXT_PROBE ? size : TEXT_PROBE;
    for (size_t i = 0; i + length <= n; i++) {
        size_t k = 0;
        while (k < length && (bytes[i + k] | (word[k] >= 'a' ? 0x20 : 0)) == word[k]) k++;
        if (k == length) return true;
    }
    return false;
}

static const limn_image_format *sniff_text(const uint8_t *bytes, size_t size)
{
    if (has_word(bytes, size, "<svg")) return &svg;
    if (has_word(bytes, size, "<html") || has_word(bytes, size, "<!doctype html")) return &html;
    return &text;
}

const limn_image_format *limn_image_sniff(const uint8_t *bytes, size_t size)
{
    const limn_image_format *f = find(magics, sizeof magics / sizeof *magics, bytes, size);
    /* Two letters are little: a text may begin so, a BMP header always has zeros. */
    if (f && (f->decode != limn_decode_bmp || !is_text(bytes, size))) return f;
    if (has_at(bytes, size, 0, "RIFF")) return has_at(bytes, size, 8, "WEBP") ? &webp : &riff;
    if (has_at(bytes, size, 4, "ftyp")) return sniff_iso_media(bytes, size);
    return is_text(bytes, size) ? sniff_text(bytes, size) : NULL;
}

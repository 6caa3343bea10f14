/* The bytes of a caption file as UTF-8 with lines that end in LF. */
#include "common/io/captions_parse.h"

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"
#include "common/text/wide_encoding.h"

/* ---- gzip --------------------------------------------------------------------------------- */

static limn_status check_inflated(int code, const z_stream *z, const limn_buffer *out,
                                  limn_error *err)
{
    if (code == Z_BUF_ERROR)
        return limn_fail(err, LIMN_E_TRUNCATED, "the gzip data ends too early");
    if (code != Z_OK && code != Z_STREAM_END)
        return limn_fail(err, LIMN_E_FORMAT, "bad gzip data: %s", z->msg ? z->msg : "no text");
    if (out->has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu bytes", out->size);
    if (out->size > LIMN_CAPTION_FILE_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "more than %zu bytes after gunzip",
                         LIMN_CAPTION_FILE_MAX_SIZE);
    return LIMN_OK;
}

static limn_status inflate_all(limn_buffer *out, const char *bytes, size_t size, limn_error *err)
{
    enum { STEP = 1 << 16, GZIP = 16 };
    unsigned char *chunk = limn_alloc(STEP, 1);
    z_stream z = { 0 };
    limn_status status = LIMN_OK;
    int code = Z_OK;
    if (!chunk || inflateInit2(&z, MAX_WBITS + GZIP) != Z_OK) {
        limn_free(chunk);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    while (status == LIMN_OK && !(code == Z_STREAM_END && size == 0 && z.avail_in == 0)) {
        const size_t step = size < STEP ? size : STEP;
        if (z.avail_in == 0 && step > 0) {
            z.next_in = (unsigned char *)bytes;
            z.avail_in = (uInt)step;
            bytes += step;
            size -= step;
        }
        if (code == Z_STREAM_END) /* gzip files may follow each other */
            inflateReset(&z);
        z.next_out = chunk;
        z.avail_out = STEP;
        code = inflate(&z, Z_NO_FLUSH);
        limn_buffer_append(out, chunk, STEP - z.avail_out);
        status = check_inflated(code, &z, out, err);
    }
    inflateEnd(&z);
    limn_free(chunk);
    return status;
}

/* ---- UTF-16 ------------------------------------------------------------------------------- */

typedef enum utf16_order { LITTLE_ENDIAN_16, BIG_ENDIAN_16 } utf16_order;

static utf16_order order_of(const char *mark)
{
    return memcmp(mark, "\xFF\xFE", 2) == 0 ? LITTLE_ENDIAN_16 : BIG_ENDIAN_16;
}

static uint32_t unit_at(const char *bytes, utf16_order order)
{
    const unsigned char a = (unsigned char)bytes[0], b = (unsigned char)bytes[1];
    return order == LITTLE_ENDIAN_16 ? (uint32_t)(b << 8 | a) : (uint32_t)(a << 8 | b);
}

static bool is_between(uint32_t unit, uint32_t low, uint32_t high)
{
    return low <= unit && unit <= high;
}

/* bytes [size] after the mark */
static limn_status convert_utf16(limn_buffer *out, const char *bytes, size_t size,
                                 utf16_order order, limn_error *err)
{
    for (size_t i = 0; i < size; i += 2) {
        const size_t left = size - i;
        uint32_t point = left >= 2 ? unit_at(bytes + i, order) : 0xDC00;
        char utf8[4];
        if (is_between(point, 0xD800, 0xDBFF) && left >= 4 &&
            is_between(unit_at(bytes + i + 2, order), 0xDC00, 0xDFFF)) {
            point = 0x10000 + ((point - 0xD800) << 10) + (unit_at(bytes + i + 2, order) - 0xDC00);
            i += 2;
        }
        if (is_between(point, 0xD800, 0xDFFF))
            return limn_fail(err, LIMN_E_FORMAT, "byte %zu: broken UTF-16", i + 3);
        limn_buffer_append(out, utf8, limn_utf8_encode(utf8, point));
    }
    if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu bytes", size);
    if (out->size > LIMN_CAPTION_FILE_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "more than %zu bytes as UTF-8",
                         LIMN_CAPTION_FILE_MAX_SIZE);
    return LIMN_OK;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void take(char **bytes, size_t *size, limn_buffer *from)
{
    limn_free(*bytes);
    *bytes = from->bytes;
    *size = from->size;
    *from = (limn_buffer){ 0 };
}

/* Files that are distributed with captions but are not text, by how they begin. */
static const struct {
    const char *begin, *what;
} not_text[] = {
    { "PK\3\4", "this is an Excel workbook or another zip archive: save the table as CSV" },
    { "PAR1", "this is Parquet: save the table as CSV or JSONL" },
    { "%PDF-", "this is a PDF document, not captions" },
    { "\xFF\xD8\xFF", "this is a JPEG image, not captions" },
    { "\x89PNG", "this is a PNG image, not captions" },
};

static limn_status check_is_text(const char *bytes, size_t size, limn_error *err)
{
    for (size_t i = 0; i < sizeof not_text / sizeof *not_text; i++) {
        const size_t n = strlen(not_text[i].begin);
        if (size >= n && memcmp(bytes, not_text[i].begin, n) == 0)
            return limn_fail(err, LIMN_E_FORMAT, "%s", not_text[i].what);
    }
    return LIMN_OK;
}

static limn_status to_utf8(char **bytes, size_t *size, limn_error *err)
{
    const char *encoding = limn_wide_encoding(*bytes, *size);
    limn_buffer text = { 0 };
    if (!encoding) return LIMN_OK;
    if (strcmp(encoding, "UTF-16") != 0)
        return limn_fail(err, LIMN_E_FORMAT, "this is %s%s: save it as UTF-8", encoding,
                         strlen(encoding) > 6 ? " without a byte order mark" : "");
    limn_buffer_append(&text, "", 0);
    const limn_status status = convert_utf16(&text, *bytes + 2, *size - 2, order_of(*bytes), err);
    if (status == LIMN_OK) take(bytes, size, &text);
    limn_buffer_finish(&text);
    return status;
}

/* Line ends of the old Mac OS, which Excel still writes as "CSV (Macintosh)". */
static void end_lines_in_lf(char *bytes, size_t size)
{
    if (size > 0 && memchr(bytes, '\n', size)) return;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '\r') bytes[i] = '\n';
}

limn_status limn_caption_decode(char **bytes, size_t *size, limn_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (*size >= 2 && memcmp(*bytes, "\x1F\x8B", 2) == 0) {
        limn_buffer inflated = { 0 };
        const limn_status status = inflate_all(&inflated, *bytes, *size, err);
        if (status == LIMN_OK) take(bytes, size, &inflated);
        limn_buffer_finish(&inflated);
        LIMN_TRY(status);
    }
    LIMN_TRY(check_is_text(*bytes, *size, err));
    LIMN_TRY(to_utf8(bytes, size, err));
    if (*size >= 3 && memcmp(*bytes, mark, 3) == 0) memmove(*bytes, *bytes + 3, *size -= 3);
    end_lines_in_lf(*bytes, *size);
    return LIMN_OK;
}

limn_status limn_caption_check_text(limn_caption_text text, size_t line, limn_error *err)
{
    const size_t valid_size = limn_utf8_valid_size(text.bytes, text.size);
    const char *nul = text.size > 0 ? memchr(text.bytes, '\0', text.size) : NULL;
    if (nul)
        return limn_fail(err, LIMN_E_FORMAT, "line %zu, byte %zu: NUL; this is not a text file",
                         line, (size_t)(nul - text.bytes) + 1);
    if (valid_size < text.size)
        return limn_fail(err, LIMN_E_FORMAT,
                         "line %zu, byte %zu: invalid UTF-8 (0x%02X); if the file is in another "
                         "encoding, such as Windows-1252, save it as UTF-8",
                         line, valid_size + 1, (unsigned char)text.bytes[valid_size]);
    return LIMN_OK;
}

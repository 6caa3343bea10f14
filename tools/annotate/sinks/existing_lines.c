#include "tools/annotate/sinks/existing_lines.h"

#include <stdint.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/io/fileio.h"
#include "common/text/wide_encoding.h"

/* The unread rest of a file. */
typedef struct reader {
    const char *text;
    size_t size, at;
} reader;

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

/* Skips `expected` (NULL: nothing). *is_torn when the file ends within it. */
static bool skip(reader *r, const char *expected, bool *is_torn)
{
    const size_t size = length(expected), left = r->size - r->at;
    const size_t n = size < left ? size : left;
    if (n && memcmp(r->text + r->at, expected, n)) return false;
    *is_torn = n < size;
    r->at += n;
    return !*is_torn;
}

/* Whether only the foot is left, or the beginning of it. */
static bool is_at_foot(const reader *r, const limn_writer *writer)
{
    const size_t left = r->size - r->at;
    return left <= length(writer->foot) && !memcmp(r->text + r->at, writer->foot, left);
}

/* Reads records up to the foot or a torn end. */
static limn_status read_records(limn_existing_lines *out, limn_name_set *names, reader *r,
                                const limn_writer *writer, limn_error *err)
{
    limn_buffer name = { 0 };
    limn_status s = LIMN_OK;
    size_t record_size;
    bool is_torn = false;
    while (s == LIMN_OK && r->at < r->size && !is_at_foot(r, writer)) {
        if (out->has_records && !skip(r, writer->separator, &is_torn)) {
            s = is_torn ? LIMN_OK : limn_fail(err, LIMN_E_FORMAT, "no separator");
            break;
        }
        limn_buffer_clear(&name);
        s = writer->parse(&name, &record_size, r->text + r->at, r->size - r->at, err);
        if (s != LIMN_OK || !record_size) break;
        limn_buffer_append(&name, "", 0);
        s = name.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory")
                            : limn_name_set_add(names, name.bytes, name.size, err);
        r->at += record_size;
        out->size = r->at;
        out->has_records = true;
    }
    limn_buffer_finish(&name);
    return s;
}

/* Skips a head as rewritten by a spreadsheet: after a byte order mark, in quotes, with other line
 * ends. */
static bool skip_saved_head(reader *r, const char *head)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t size = sizeof mark - 1;
    size_t at = r->size >= size && !memcmp(r->text, mark, size) ? size : 0;
    if (!head) return false;
    for (; *head; head++) {
        if (*head == '\r') continue;
        while (at < r->size && (r->text[at] == '"' || r->text[at] == '\r')) at++;
        if (at == r->size || r->text[at] != *head) return false;
        at++;
    }
    r->at = at;
    return true;
}

/* Fails for a CSV head in another form; spreadsheets separate by commas only in locales whose
 * decimal separator is a point. */
static limn_status fail_head(const reader *r, const limn_writer *writer, limn_error *err)
{
    const char *wide = limn_wide_encoding(r->text, r->size);
    if (wide) return limn_fail(err, LIMN_E_FORMAT, "it is %s: save it as UTF-8", wide);
    const char *stop = memchr(r->text, '\n', r->size);
    const size_t line = stop ? (size_t)(stop - r->text) : r->size;
    if (writer == &limn_writer_csv && (memchr(r->text, ';', line) || memchr(r->text, '\t', line)))
        return limn_fail(err, LIMN_E_FORMAT,
                         "its fields are not separated by commas: save it with commas");
    return limn_fail(err, LIMN_E_FORMAT, "it begins differently");
}

static limn_status read_file(limn_existing_lines *out, limn_name_set *names, reader *r,
                             const limn_writer *writer, limn_error *err)
{
    bool is_torn = false;
    if (!skip_saved_head(r, writer->head) && !skip(r, writer->head, &is_torn))
        return is_torn ? LIMN_OK : fail_head(r, writer, err);
    LIMN_TRY(read_records(out, names, r, writer, err));
    if (!out->has_records) out->size = 0; /* the head is written with the first record */
    out->lacks_line_end = out->has_records && !writer->separator && r->text[out->size - 1] != '\n';
    return LIMN_OK;
}

limn_status limn_existing_lines_read(limn_existing_lines *out, limn_name_set *names,
                                     const char *path, const limn_writer *writer, limn_error *err)
{
    limn_file_bytes file = { 0 };
    limn_error reason = { 0 };
    limn_status s;
    *out = (limn_existing_lines){ 0 };
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX / 4, err));
    reader r = { (const char *)file.bytes, file.size, 0 };
    s = read_file(out, names, &r, writer, &reason);
    if (s == LIMN_E_FORMAT)
        s = limn_fail(err, LIMN_E_ARG,
                      "%s: exists, but from byte %zu on it is not what --format %s writes (%s); "
                      "choose another name",
                      path, out->size, writer->name, reason.text);
    else if (s != LIMN_OK)
        s = limn_fail(err, s, "%s: %s", path, reason.text);
    limn_file_bytes_free(&file);
    return s;
}

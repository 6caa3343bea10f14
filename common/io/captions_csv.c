/* Caption files as tables with a header: comma-separated values (RFC 4180), or tab-separated ones,
 * which have no quotes. */
#include "common/io/caption_parse.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/text/utf8.h"

enum { MAX_COLUMNS = 64 };

/* Reads fields; a quoted one may hold commas, line ends and doubled quotes. */
typedef struct csv_reader {
    limn_caption_text text;   /* what is left */
    char separator;           /* ',' or '\t' */
    size_t n_lines;           /* number of the line that begins `text` */
    limn_buffer row;          /* the fields of the row, unquoted, without separators */
    size_t ends[MAX_COLUMNS]; /* where each field ends in `row` */
    size_t n_fields;
} csv_reader;

static limn_caption_text field(const csv_reader *r, size_t i)
{
    const size_t begin = i > 0 ? r->ends[i - 1] : 0;
    if (i >= r->n_fields) return (limn_caption_text){ 0 };
    return (limn_caption_text){ r->row.bytes ? r->row.bytes + begin : "", r->ends[i] - begin };
}

static limn_status read_quoted(csv_reader *r, limn_error *err)
{
    const char *bytes = r->text.bytes;
    const size_t first_line = r->n_lines;
    size_t at = 1;
    for (;; at++) {
        const char *quote = memchr(bytes + at, '"', r->text.size - at);
        const size_t end = quote ? (size_t)(quote - bytes) : r->text.size;
        for (size_t i = at; i < end; i++) r->n_lines += bytes[i] == '\n';
        limn_buffer_append(&r->row, bytes + at, end - at);
        at = end + 1;
        if (r->row.size > LIMN_CAPTION_LINE_MAX_SIZE)
            return limn_fail(err, LIMN_E_LIMIT, "line %zu: a row of more than %d bytes", first_line,
                             LIMN_CAPTION_LINE_MAX_SIZE);
        if (!quote)
            return limn_fail(err, LIMN_E_FORMAT, "line %zu: a quoted field without closing quote",
                             first_line);
        if (at >= r->text.size || bytes[at] != '"') break;
        limn_buffer_append(&r->row, "\"", 1);
    }
    r->text = (limn_caption_text){ bytes + at, r->text.size - at };
    if (r->text.size > 0 && !strchr(",\r\n", r->text.bytes[0]))
        return limn_fail(err, LIMN_E_FORMAT, "line %zu: text after a closing quote", r->n_lines);
    return LIMN_OK;
}

static void read_plain(csv_reader *r)
{
    size_t size = 0;
    while (size < r->text.size && r->text.bytes[size] != r->separator &&
           r->text.bytes[size] != '\n')
        size++;
    const bool is_at_line_end = size == r->text.size || r->text.bytes[size] == '\n';
    const bool has_return = is_at_line_end && size > 0 && r->text.bytes[size - 1] == '\r';
    limn_buffer_append(&r->row, r->text.bytes, size - has_return);
    r->text = (limn_caption_text){ r->text.bytes + size, r->text.size - size };
}

/* The next row's fields, checked. False at the end. */
static bool read_row(csv_reader *r, limn_status *status, limn_error *err)
{
    const size_t line = r->n_lines;
    bool has_more = r->text.size > 0;
    *status = LIMN_OK;
    limn_buffer_clear(&r->row);
    r->n_fields = 0;
    if (!has_more) return false;
    while (has_more && *status == LIMN_OK) {
        if (r->n_fields == MAX_COLUMNS) {
            *status =
                limn_fail(err, LIMN_E_LIMIT, "line %zu: more than %d columns", line, MAX_COLUMNS);
            break;
        }
        if (r->separator == ',' && r->text.size > 0 && r->text.bytes[0] == '"')
            *status = read_quoted(r, err);
        else
            read_plain(r);
        r->ends[r->n_fields++] = r->row.size;
        while (r->text.size > 0 && r->text.bytes[0] == '\r') {
            r->text.bytes++;
            r->text.size--;
        }
        has_more = r->text.size > 0 && r->text.bytes[0] == r->separator;
        if (r->text.size > 0 && *status == LIMN_OK) {
            r->n_lines += r->text.bytes[0] == '\n';
            r->text.bytes++;
            r->text.size--;
        }
    }
    if (r->row.has_failed && *status == LIMN_OK)
        *status = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return *status == LIMN_OK;
}

static limn_status check_row(const csv_reader *r, size_t line, limn_error *err)
{
    const size_t valid_size = limn_utf8_valid_size(r->row.bytes, r->row.size);
    if (r->row.size > LIMN_CAPTION_LINE_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "line %zu: %zu bytes exceed the limit of %d", line,
                         r->row.size, LIMN_CAPTION_LINE_MAX_SIZE);
    if (r->row.size > 0 && memchr(r->row.bytes, '\0', r->row.size))
        return limn_fail(err, LIMN_E_FORMAT, "line %zu: NUL, this is no text", line);
    if (valid_size < r->row.size)
        return limn_fail(err, LIMN_E_FORMAT, "line %zu: invalid UTF-8 in byte %zu of its fields",
                         line, valid_size + 1);
    return LIMN_OK;
}

/* Finds the columns of ids and captions in the header that `r` has read. */
static bool find_columns(size_t *id, size_t *caption, const csv_reader *r)
{
    *id = *caption = MAX_COLUMNS;
    for (size_t i = r->n_fields; i-- > 0;) {
        const limn_caption_text name = field(r, i);
        if (limn_caption_is_id_field(name.bytes, name.size))
            *id = i;
        else if (limn_caption_is_caption_field(name.bytes, name.size))
            *caption = i;
    }
    return *id < MAX_COLUMNS && *caption < MAX_COLUMNS;
}

/* Whether the first line is a header, with fields between `separator`. */
static bool has_header(limn_caption_text text, char separator)
{
    csv_reader r = { .text = text, .separator = separator, .n_lines = 1 };
    limn_status status;
    size_t id, caption;
    const bool has = read_row(&r, &status, NULL) && find_columns(&id, &caption, &r);
    limn_buffer_finish(&r.row);
    return has;
}

bool limn_caption_is_table(limn_caption_text text)
{
    return has_header(text, ',') || has_header(text, '\t');
}

limn_status limn_caption_parse_table(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err)
{
    const bool is_csv = has_header(text, ',');
    csv_reader r = { .text = text, .separator = is_csv ? ',' : '\t', .n_lines = 1 };
    limn_status status;
    size_t id = 0, caption = 0, line;
    file->format = is_csv ? "CSV" : "TSV with a header";
    if (read_row(&r, &status, err)) find_columns(&id, &caption, &r);
    while (status == LIMN_OK && (line = r.n_lines, read_row(&r, &status, err))) {
        const size_t n_needed = (id > caption ? id : caption) + 1;
        if (r.n_fields == 1 && field(&r, 0).size == 0) continue; /* a blank line */
        status = check_row(&r, line, err);
        if (status == LIMN_OK && r.n_fields < n_needed)
            status = limn_fail(err, LIMN_E_FORMAT, "line %zu: %zu fields, expected at least %zu",
                               line, r.n_fields, n_needed);
        if (status != LIMN_OK) break;
        limn_caption_begin_entry(file);
        status = limn_caption_add(file, field(&r, id), (limn_caption_text){ 0 }, field(&r, caption),
                                  err);
        if (status != LIMN_OK) limn_error_prefix(err, "line %zu", line);
    }
    limn_buffer_finish(&r.row);
    return status;
}

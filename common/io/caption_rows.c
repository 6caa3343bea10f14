#include "common/io/caption_rows.h"

#include <string.h>

static bool has_quotes(const limn_caption_rows *r)
{
    return r->separator == ',' || r->separator == ';';
}

static bool is_padding(const limn_caption_rows *r, char c)
{
    return r->separator != '\t' && (c == ' ' || c == '\t');
}

limn_caption_text limn_caption_row_field(const limn_caption_rows *r, size_t i)
{
    if (i >= r->n_fields) return (limn_caption_text){ 0 };
    const size_t begin = i > 0 ? r->ends[i - 1] : 0;
    return (limn_caption_text){ r->row.bytes ? r->row.bytes + begin : "", r->ends[i] - begin };
}

static void skip(limn_caption_rows *r, size_t n)
{
    r->text.bytes += n;
    r->text.size -= n;
}

static void skip_padding(limn_caption_rows *r)
{
    while (r->text.size > 0 && is_padding(r, r->text.bytes[0])) skip(r, 1);
}

/* Copies what is between quotes; the text then begins after the closing one. */
static limn_status copy_quoted(limn_caption_rows *r, limn_error *err)
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
    skip(r, at);
    return LIMN_OK;
}

static limn_status read_quoted(limn_caption_rows *r, limn_error *err)
{
    LIMN_TRY(copy_quoted(r, err));
    skip_padding(r);
    if (r->text.size > 0 && r->text.bytes[0] != r->separator && !strchr("\r\n", r->text.bytes[0]))
        return limn_fail(
            err, LIMN_E_FORMAT,
            "line %zu: text after a closing quote; a quote inside a quoted field must be doubled",
            r->n_lines);
    return LIMN_OK;
}

static void read_plain(limn_caption_rows *r)
{
    const bool takes_rest = r->n_fields == r->rest_column;
    size_t size = 0;
    while (size < r->text.size && r->text.bytes[size] != '\n' &&
           (takes_rest || r->text.bytes[size] != r->separator))
        size++;
    const bool is_at_line_end = size == r->text.size || r->text.bytes[size] == '\n';
    size_t used = size;
    if (is_at_line_end && used > 0 && r->text.bytes[used - 1] == '\r') used--;
    while (used > 0 && is_padding(r, r->text.bytes[used - 1])) used--;
    limn_buffer_append(&r->row, r->text.bytes, used);
    skip(r, size);
}

/* Reads a field and its end; returns whether another one follows. */
static bool read_field(limn_caption_rows *r, limn_status *status, limn_error *err)
{
    skip_padding(r);
    if (has_quotes(r) && r->text.size > 0 && r->text.bytes[0] == '"')
        *status = read_quoted(r, err);
    else
        read_plain(r);
    r->ends[r->n_fields++] = r->row.size;
    while (r->text.size > 0 && r->text.bytes[0] == '\r') skip(r, 1);
    const bool has_more = r->text.size > 0 && r->text.bytes[0] == r->separator;
    if (r->text.size > 0 && *status == LIMN_OK) {
        r->n_lines += r->text.bytes[0] == '\n';
        skip(r, 1);
    }
    return has_more;
}

static limn_status check_row(const limn_caption_rows *r, size_t line, limn_error *err)
{
    if (r->row.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (r->row.size > LIMN_CAPTION_LINE_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "line %zu: %zu bytes exceed the limit of %d", line,
                         r->row.size, LIMN_CAPTION_LINE_MAX_SIZE);
    return limn_caption_check_text((limn_caption_text){ r->row.bytes, r->row.size }, line, err);
}

bool limn_caption_next_row(limn_caption_rows *r, limn_status *status, limn_error *err)
{
    const size_t line = r->n_lines;
    bool has_more = r->text.size > 0;
    *status = LIMN_OK;
    limn_buffer_clear(&r->row);
    r->n_fields = 0;
    if (!has_more) return false;
    while (has_more && *status == LIMN_OK) {
        if (r->n_fields == LIMN_CAPTION_MAX_COLUMNS)
            *status = limn_fail(err, LIMN_E_LIMIT, "line %zu: more than %d columns", line,
                                LIMN_CAPTION_MAX_COLUMNS);
        else
            has_more = read_field(r, status, err);
    }
    if (*status == LIMN_OK) *status = check_row(r, line, err);
    return *status == LIMN_OK;
}

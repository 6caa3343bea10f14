/* CSV and TSV: a header, and a row for each caption, best first; nothing for an image that
 * failed. */
#include <math.h>
#include <string.h>

#include "common/text/file_name.h"
#include "tools/annotate/writers/writer.h"

/* ---- CSV -------------------------------------------------------------------------------- */

/* RFC 4180: in quotes where it must be, with the quotes in it doubled. */
static void append_field(limn_buffer *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        limn_buffer_append_text(out, text);
        return;
    }
    limn_buffer_append_text(out, "\"");
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        limn_buffer_append(out, text, (size_t)(quote - text) + 1);
        limn_buffer_append_text(out, "\"");
    }
    limn_buffer_append_text(out, text);
    limn_buffer_append_text(out, "\"");
}

/* Whether a spreadsheet would take a cell with this text for a formula (OWASP, "CSV Injection"), by
 * which a file name could run a command. */
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

/* `is_safe`: an apostrophe goes before what would be computed; spreadsheets do not show it. */
static void append_cell(limn_buffer *out, const char *text, bool is_safe)
{
    limn_buffer cell = { 0 };
    if (is_safe && is_formula(text)) limn_buffer_append_text(&cell, "'");
    limn_buffer_append_text(&cell, text);
    append_field(out, cell.bytes ? cell.bytes : "");
    out->has_failed |= cell.has_failed;
    limn_buffer_finish(&cell);
}

static void append_csv_name(limn_buffer *out, const char *path, bool is_safe)
{
    limn_buffer shown = { 0 };
    limn_file_name_append_utf8(&shown, path);
    append_cell(out, shown.bytes ? shown.bytes : "", is_safe);
    out->has_failed |= shown.has_failed;
    limn_buffer_finish(&shown);
}

/* The column of a confidence; empty where there is none. */
static void append_confidence(limn_buffer *out, const char *separator, const limn_caption *caption)
{
    if (caption && !isnan(caption->confidence))
        limn_buffer_printf(out, "%.9g", caption->confidence);
    limn_buffer_append_text(out, separator);
}

/* `caption` is NULL for one that is left out: a row without numbers. Where the first field is not
 * exactly the file's name, the last one has it. */
static void append_csv_row(limn_buffer *out, const limn_record *record, const limn_caption *caption,
                           size_t rank, bool has_confidence)
{
    const char *path = record->path;
    const bool is_marked = record->is_csv_safe && is_formula(path);
    append_csv_name(out, path, record->is_csv_safe);
    limn_buffer_append_text(out, ",");
    if (caption) {
        append_cell(out, caption->text, record->is_csv_safe);
        limn_buffer_printf(out, ",%.9g,%.9g,%zu,", caption->logprob, caption->score, rank);
    } else {
        limn_buffer_append_text(out, ",,,,");
    }
    if (has_confidence) append_confidence(out, ",", caption);
    if (is_marked || !limn_file_name_is_utf8(path)) limn_file_name_append_hex(out, path);
    limn_buffer_append_text(out, "\r\n");
}

static void append_csv_rows(limn_buffer *out, const limn_record *record, bool has_confidence)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++)
        append_csv_row(out, record, &record->captions->items[i], i + 1, has_confidence);
    if (limn_record_is_left_out(record)) append_csv_row(out, record, NULL, 0, has_confidence);
}

static void render_csv(limn_buffer *out, const limn_record *record)
{
    append_csv_rows(out, record, false);
}

static void render_csv_confidence(limn_buffer *out, const limn_record *record)
{
    append_csv_rows(out, record, true);
}

/* The size of the row at `text`, without its line end; `size` when that is missing. */
static size_t row_size(const char *text, size_t size)
{
    bool is_quoted = false;
    size_t i = 0;
    for (; i < size && (is_quoted || text[i] != '\n'); i++) is_quoted ^= text[i] == '"';
    return i;
}

/* Appends the first field of a row, without quotes. */
static void append_first_field(limn_buffer *out, const char *row, size_t size)
{
    bool is_quoted = false;
    for (size_t i = 0; i < size && (is_quoted || row[i] != ','); i++) {
        if (row[i] == '"' && (!is_quoted || i + 1 == size || row[i + 1] != '"')) {
            is_quoted = !is_quoted;
            continue;
        }
        i += row[i] == '"'; /* of two, the second */
        limn_buffer_append(out, &row[i], 1);
    }
}

static const char csv_head[] = "file,caption,logprob,score,rank,file_bytes\r\n",
                  csv_confidence_head[] =
                      "file,caption,logprob,score,rank,confidence,file_bytes\r\n";

/* Fields of a row: commas outside quotes, and one more. */
static size_t count_fields(const char *row, size_t size)
{
    bool is_quoted = false;
    size_t n = 1;
    for (size_t i = 0; i < size; i++) {
        is_quoted ^= row[i] == '"';
        n += row[i] == ',' && !is_quoted;
    }
    return n;
}

/* Where the last field begins; *size of it, without quotes around. */
static const char *last_field(const char *row, size_t row_size, size_t *size)
{
    size_t end = row_size, begin;
    if (end && row[end - 1] == '"') end--;
    begin = end;
    while (begin && row[begin - 1] != ',' && row[begin - 1] != '"') begin--;
    *size = end - begin;
    return row + begin;
}

/* Parses a row written by limn, or rewritten by a spreadsheet: with quotes around any field, other
 * line ends, none after the last row. A row that is torn off lacks fields. */
static limn_status parse_row(limn_buffer *name, size_t *record_size, const char *text, size_t size,
                             const char *head, limn_error *err)
{
    const size_t n_fields = count_fields(head, strlen(head));
    const size_t line = row_size(text, size);
    const size_t row = line && text[line - 1] == '\r' ? line - 1 : line;
    size_t hex_size;
    const char *hex = last_field(text, row, &hex_size);
    const bool has_all = count_fields(text, row) == n_fields;
    const bool is_whole = line < size || (has_all && !hex_size);
    *record_size = !is_whole ? 0 : line < size ? line + 1 : line;
    if (!is_whole) return LIMN_OK;
    if (!has_all)
        return limn_fail(err, LIMN_E_FORMAT, "a row with %zu fields, not %zu",
                         count_fields(text, row), n_fields);
    if (hex_size && !limn_file_name_append_from_hex(name, hex, hex_size))
        return limn_fail(err, LIMN_E_FORMAT, "the last field is not a file name in hexadecimal");
    if (!hex_size) append_first_field(name, text, row);
    if (!name->size) return limn_fail(err, LIMN_E_FORMAT, "a row without a file name");
    return LIMN_OK;
}

static limn_status parse_csv(limn_buffer *name, size_t *record_size, const char *text, size_t size,
                             limn_error *err)
{
    return parse_row(name, record_size, text, size, csv_head, err);
}

static limn_status parse_csv_confidence(limn_buffer *name, size_t *record_size, const char *text,
                                        size_t size, limn_error *err)
{
    return parse_row(name, record_size, text, size, csv_confidence_head, err);
}

const limn_writer limn_writer_csv = {
    .name = "csv",
    .extension = ".csv",
    .head = csv_head,
    .render = render_csv,
    .parse = parse_csv,
};

const limn_writer limn_writer_csv_confidence = {
    .name = "csv",
    .extension = ".csv",
    .head = csv_confidence_head,
    .render = render_csv_confidence,
    .parse = parse_csv_confidence,
};

/* ---- TSV -------------------------------------------------------------------------------- */

static void append_tsv_row(limn_buffer *out, const char *path, const limn_caption *caption,
                           size_t rank, bool has_confidence)
{
    limn_file_name_append_line_utf8(out, path);
    limn_buffer_append_text(out, "\t");
    if (caption) {
        limn_file_name_append_line_utf8(out, caption->text);
        limn_buffer_printf(out, "\t%.9g\t%.9g\t%zu", caption->logprob, caption->score, rank);
    } else {
        limn_buffer_append_text(out, "\t\t\t");
    }
    if (has_confidence) limn_buffer_append_text(out, "\t");
    if (has_confidence) append_confidence(out, "", caption);
    limn_buffer_append_text(out, "\n");
}

static void append_tsv_rows(limn_buffer *out, const limn_record *record, bool has_confidence)
{
    for (size_t i = 0; record->captions && i < record->captions->n_items; i++)
        append_tsv_row(out, record->path, &record->captions->items[i], i + 1, has_confidence);
    if (limn_record_is_left_out(record)) append_tsv_row(out, record->path, NULL, 0, has_confidence);
}

static void render_tsv(limn_buffer *out, const limn_record *record)
{
    append_tsv_rows(out, record, false);
}

static void render_tsv_confidence(limn_buffer *out, const limn_record *record)
{
    append_tsv_rows(out, record, true);
}

const limn_writer limn_writer_tsv = {
    .name = "tsv",
    .extension = ".tsv",
    .head = "file\tcaption\tlogprob\tscore\trank\n",
    .render = render_tsv,
    .parse = limn_writer_parse_text,
};

const limn_writer limn_writer_tsv_confidence = {
    .name = "tsv",
    .extension = ".tsv",
    .head = "file\tcaption\tlogprob\tscore\trank\tconfidence\n",
    .render = render_tsv_confidence,
    .parse = limn_writer_parse_text,
};

/* Caption files as tables with a header: which columns they have, and what their rows say. */
#include <stdint.h>
#include <string.h>

#include "common/io/caption_fields.h"
#include "common/io/captions_parse.h"
#include "common/io/caption_rows.h"
#include "common/text/plural.h"

static const struct {
    char separator;
    const char *format;
} kinds[] = {
    { ',', "CSV" },
    { '\t', "TSV with a header" },
    { ';', "CSV with semicolons" },
    { '|', "CSV with bars" },
};

enum { N_KINDS = sizeof kinds / sizeof *kinds, NONE = LIMN_CAPTION_MAX_COLUMNS };

/* Columns by what they hold; NONE for none. */
typedef struct columns {
    size_t of[LIMN_N_FIELDS], ranks[LIMN_N_FIELDS];
    size_t captions[LIMN_CAPTION_MAX_COLUMNS],
        n_captions; /* by number, or the one of the caption */
    size_t rejected[2], n_rejected;
    size_t n_columns;
} columns;

/* ---- the header --------------------------------------------------------------------------- */

/* Of several columns of one kind, the preferred one counts. */
static void note_column(columns *c, size_t i, limn_caption_text name)
{
    size_t rank;
    const limn_caption_field field = limn_caption_field_of(&rank, name.bytes, name.size);
    if (field == LIMN_FIELD_NUMBERED_CAPTION) {
        c->captions[c->n_captions++] = i;
    } else if (field == LIMN_FIELD_REJECTED) {
        if (c->n_rejected < sizeof c->rejected / sizeof *c->rejected)
            c->rejected[c->n_rejected++] = i;
    } else if (field != LIMN_FIELD_OTHER && rank < c->ranks[field]) {
        c->of[field] = i;
        c->ranks[field] = rank;
    }
}

static columns find_columns(const limn_caption_rows *r)
{
    columns c = { .n_columns = r->n_fields };
    for (size_t i = 0; i < LIMN_N_FIELDS; i++) c.of[i] = c.ranks[i] = NONE;
    for (size_t i = 0; i < r->n_fields; i++) note_column(&c, i, limn_caption_row_field(r, i));
    if (c.of[LIMN_FIELD_CAPTION] != NONE) {
        c.captions[0] = c.of[LIMN_FIELD_CAPTION];
        c.n_captions = 1;
    }
    return c;
}

static bool has_image(const columns *c)
{
    return c->of[LIMN_FIELD_FILE] != NONE || c->of[LIMN_FIELD_IMAGE_ID] != NONE ||
           c->of[LIMN_FIELD_OWN_ID] != NONE || c->of[LIMN_FIELD_URL] != NONE;
}

/* The text behind Excel's first line "sep=;"; *n_lines = the lines that were left out. */
static limn_caption_text without_sep_line(limn_caption_text text, size_t *n_lines)
{
    limn_caption_text line, rest = text;
    limn_status status;
    size_t n = 0;
    *n_lines = 0;
    if (!limn_caption_next_line(&line, &rest, &n, &status, NULL) || line.size != 5 ||
        memcmp(line.bytes, "sep=", 4) != 0)
        return text;
    *n_lines = n;
    return rest;
}

static limn_caption_rows rows_of(limn_caption_text text, char separator)
{
    limn_caption_rows r = { .separator = separator, .rest_column = SIZE_MAX };
    size_t n_left_out;
    r.text = without_sep_line(text, &n_left_out);
    r.n_lines = 1 + n_left_out;
    return r;
}

/* The columns of the first row; none if it can't be read. */
static columns columns_with(limn_caption_text text, char separator)
{
    limn_caption_rows r = rows_of(text, separator);
    limn_status status;
    if (!limn_caption_next_row(&r, &status, NULL)) r.n_fields = 0;
    const columns c = find_columns(&r);
    limn_buffer_finish(&r.row);
    return c;
}

char limn_caption_table_separator(limn_caption_text text)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        const columns c = columns_with(text, kinds[i].separator);
        if (has_image(&c) && c.n_captions > 0) return kinds[i].separator;
    }
    return '\0';
}

static limn_status fail_header(limn_caption_text line, bool has_image, limn_error *err)
{
    enum { MAX_SHOWN = 60 };
    const int size = (int)(line.size < MAX_SHOWN ? line.size : MAX_SHOWN);
    if (has_image)
        return limn_fail(err, LIMN_E_FORMAT,
                         "the header \"%.*s\" names no caption; known are %scaption_1 …", size,
                         line.bytes, limn_caption_field_names(LIMN_FIELD_CAPTION));
    return limn_fail(err, LIMN_E_FORMAT, "the header \"%.*s\" names no image; known are %s%s%s%s",
                     size, line.bytes, limn_caption_field_names(LIMN_FIELD_FILE),
                     limn_caption_field_names(LIMN_FIELD_IMAGE_ID),
                     limn_caption_field_names(LIMN_FIELD_OWN_ID),
                     limn_caption_field_names(LIMN_FIELD_URL));
}

limn_status limn_caption_check_header(limn_caption_text text, limn_error *err)
{
    limn_caption_text line, rest = text;
    limn_status status;
    size_t n_lines = 0;
    if (!limn_caption_next_line(&line, &rest, &n_lines, &status, NULL)) return LIMN_OK;
    const bool has_tab = memchr(line.bytes, '\t', line.size);
    for (size_t i = 0; i < N_KINDS; i++) {
        const columns c = columns_with(text, kinds[i].separator);
        if (has_tab != (kinds[i].separator == '\t') || c.n_columns < 2) continue;
        if (has_image(&c) || c.n_captions > 0) return fail_header(line, has_image(&c), err);
    }
    return LIMN_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* Flickr30k's results.csv has a row without the bar behind its number: "a.jpg| 4   A dog runs".
 * Takes the number off what became one field. */
static void split_number(limn_caption_rows *r, const columns *c)
{
    const size_t at = c->of[LIMN_FIELD_NUMBER];
    const limn_caption_text field = limn_caption_row_field(r, at);
    size_t n_digits = 0, blank;
    if (at == NONE || r->n_fields != at + 1 || c->n_captions != 1 || c->captions[0] != at + 1)
        return;
    while (n_digits < field.size && strchr("0123456789", field.bytes[n_digits]) &&
           field.bytes[n_digits])
        n_digits++;
    for (blank = n_digits; blank < field.size && field.bytes[blank] == ' ';) blank++;
    if (n_digits == 0 || blank == n_digits || blank == field.size) return;
    const size_t begin = (size_t)(field.bytes - r->row.bytes);
    r->ends[at] = begin + blank;
    r->ends[r->n_fields++] = begin + field.size;
}

static limn_status check_count(const limn_caption_rows *r, const columns *c, size_t line,
                               limn_error *err)
{
    if (r->n_fields == c->n_columns) return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "line %zu: %zu %s, but the header has %zu%s", line,
                     r->n_fields, limn_plural(r->n_fields, "field", "fields"), c->n_columns,
                     r->n_fields < c->n_columns || r->separator == '\t' || r->separator == '|'
                         ? ""
                         : " (a field with a comma must be in quotes)");
}

static limn_caption_text field_of(const limn_caption_rows *r, const columns *c,
                                  limn_caption_field field)
{
    const limn_caption_text none = { 0 };
    const limn_caption_text text = limn_caption_row_field(r, c->of[field]);
    return text.size > 0 ? text : none;
}

static limn_status read_flags(limn_caption_item *item, const limn_caption_rows *r, const columns *c,
                              limn_error *err)
{
    for (size_t i = 0; i < c->n_rejected; i++) {
        bool is_set;
        const limn_status s =
            limn_caption_read_flag(&is_set, limn_caption_row_field(r, c->rejected[i]), err);
        if (s != LIMN_OK)
            return limn_error_prefix(err, "column %zu, a flag of rejection", c->rejected[i] + 1), s;
        item->is_rejected |= is_set;
    }
    return LIMN_OK;
}

static limn_caption_item item_of(const limn_caption_rows *r, const columns *c)
{
    limn_caption_item item = { .id = field_of(r, c, LIMN_FIELD_FILE),
                               .id_kind = LIMN_NAME_FILE,
                               .alias = field_of(r, c, LIMN_FIELD_IMAGE_ID),
                               .alias_kind = LIMN_NAME_IMAGE_ID,
                               .split = field_of(r, c, LIMN_FIELD_SPLIT) };
    const bool has_name = item.id.bytes || item.alias.bytes;
    const bool lacks_name =
        !has_name && (c->of[LIMN_FIELD_FILE] != NONE || c->of[LIMN_FIELD_IMAGE_ID] != NONE);
    if (!lacks_name) /* an empty name stays an error */
        limn_caption_choose_names(&item, field_of(r, c, LIMN_FIELD_OWN_ID),
                                  field_of(r, c, LIMN_FIELD_URL));
    return item;
}

/* A cell is a caption, or a JSON array of captions. */
static limn_status add_cell(limn_caption_file *file, const limn_caption_item *item,
                            limn_caption_text cell, limn_error *err)
{
    json_t *document = NULL;
    if (cell.size < 4 || cell.bytes[0] != '[' || !strchr("\"'", cell.bytes[1]))
        return limn_caption_add(file, item, cell, err);
    if (limn_json_parse(&document, cell.bytes, cell.size, NULL) != LIMN_OK)
        return limn_fail(err, LIMN_E_FORMAT,
                         "a caption that begins with %.2s but is not a JSON array: write lists of "
                         "captions with json.dumps()",
                         cell.bytes);
    const limn_json_node root = limn_json_root(document);
    const limn_status status = limn_caption_add_value(file, &root, item, err);
    json_decref(document);
    return status;
}

/* Of several columns of captions each is a statement; empty ones are none. */
static limn_status add_row(limn_caption_file *file, const limn_caption_rows *r, const columns *c,
                           limn_error *err)
{
    limn_caption_item item = item_of(r, c);
    size_t n_added = 0;
    LIMN_TRY(read_flags(&item, r, c, err));
    for (size_t i = 0; i < c->n_captions; i++) {
        const limn_caption_text cell = limn_caption_row_field(r, c->captions[i]);
        if (cell.size == 0 && (c->n_captions > 1 && (n_added > 0 || i + 1 < c->n_captions)))
            continue;
        limn_caption_begin_entry(file);
        LIMN_TRY(add_cell(file, &item, cell, err));
        n_added++;
    }
    return LIMN_OK;
}

static limn_status add_rows(limn_caption_file *file, limn_caption_rows *r, limn_error *err)
{
    limn_status status;
    size_t line;
    if (!limn_caption_next_row(r, &status, err)) return status;
    const columns c = find_columns(r);
    if (c.n_captions == 1 && c.captions[0] + 1 == c.n_columns) r->rest_column = c.captions[0];
    while (line = r->n_lines, limn_caption_next_row(r, &status, err)) {
        if (r->n_fields == 1 && limn_caption_row_field(r, 0).size == 0) continue; /* a blank line */
        split_number(r, &c);
        LIMN_TRY(check_count(r, &c, line, err));
        status = add_row(file, r, &c, err);
        if (status != LIMN_OK) return limn_error_prefix(err, "line %zu", line), status;
    }
    return status;
}

limn_status limn_caption_parse_table(limn_caption_file *file, limn_caption_text text,
                                     char separator, limn_error *err)
{
    limn_caption_rows r = rows_of(text, separator);
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].separator == separator) file->format = kinds[i].format;
    const limn_status status = add_rows(file, &r, err);
    limn_buffer_finish(&r.row);
    return status;
}

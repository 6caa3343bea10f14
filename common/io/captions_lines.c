/* Caption files of lines: TSV and JSONL. */
#include "common/io/caption_parse.h"

#include <stdio.h>
#include <string.h>

#include "common/text/utf8.h"

static limn_status check_line(limn_caption_text line, size_t line_number, limn_error *err)
{
    const size_t valid_size = limn_utf8_valid_size(line.bytes, line.size);
    const char *nul = memchr(line.bytes, '\0', line.size);
    if (line.size > LIMN_CAPTION_LINE_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "line %zu: %zu bytes exceed the limit of %d",
                         line_number, line.size, LIMN_CAPTION_LINE_MAX_SIZE);
    if (nul)
        return limn_fail(err, LIMN_E_FORMAT, "line %zu, byte %zu: NUL, this is no text",
                         line_number, (size_t)(nul - line.bytes) + 1);
    if (valid_size < line.size)
        return limn_fail(err, LIMN_E_FORMAT, "line %zu, byte %zu: invalid UTF-8 (0x%02X)",
                         line_number, valid_size + 1, (unsigned char)line.bytes[valid_size]);
    return LIMN_OK;
}

bool limn_caption_next_line(limn_caption_text *line, limn_caption_text *text, size_t *n_lines,
                            limn_status *status, limn_error *err)
{
    const char *end = text->size > 0 ? memchr(text->bytes, '\n', text->size) : NULL;
    size_t size = end ? (size_t)(end - text->bytes) : text->size;
    *status = LIMN_OK;
    if (text->size == 0) return false;
    *line = (limn_caption_text){ text->bytes, size };
    text->bytes += size + (end != NULL);
    text->size -= size + (end != NULL);
    if (size > 0 && line->bytes[size - 1] == '\r') line->size--;
    *status = check_line(*line, ++*n_lines, err);
    return *status == LIMN_OK;
}

bool limn_caption_is_blank(limn_caption_text line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.bytes[i] != ' ' && line.bytes[i] != '\t') return false;
    return true;
}

/* The size of an id without its "#k"; *number = k, -1 without. */
static size_t id_size(long *number, const char *id, size_t size)
{
    enum { MAX_DIGITS = 9 };
    size_t at = size;
    *number = -1;
    while (at > 0 && id[at - 1] >= '0' && id[at - 1] <= '9') at--;
    if (at == size || size - at > MAX_DIGITS || at < 2 || id[at - 1] != '#') return size;
    *number = 0;
    for (size_t i = at; i < size; i++) *number = 10 * *number + (id[i] - '0');
    return at - 1;
}

static limn_status add_tsv_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    const char *tab = memchr(line.bytes, '\t', line.size);
    limn_caption_text id = { line.bytes, 0 }, caption = { 0 };
    long number;
    if (!tab)
        return limn_fail(err, LIMN_E_FORMAT,
                         "no tab between name and caption (and the file is neither JSON nor CSV "
                         "with a header that names \"image\" and \"caption\")");
    id.size = id_size(&number, line.bytes, (size_t)(tab - line.bytes));
    caption.bytes = tab + 1;
    caption.size = (size_t)(line.bytes + line.size - caption.bytes);
    limn_caption_begin_entry(file);
    LIMN_TRY(limn_caption_add(file, id, (limn_caption_text){ 0 }, caption, err));
    file->records[file->n_records - 1].number = number;
    return LIMN_OK;
}

static limn_status add_json_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    json_t *document = NULL;
    LIMN_TRY(limn_json_parse(&document, line.bytes, line.size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status status = limn_caption_add_object(file, &root, err);
    json_decref(document);
    return status;
}

typedef limn_status add_line_fn(limn_caption_file *file, limn_caption_text line, limn_error *err);

static limn_status parse_lines(limn_caption_file *file, limn_caption_text text, add_line_fn *add,
                               limn_error *err)
{
    limn_caption_text line;
    limn_status status;
    size_t n_lines = 0;
    while (limn_caption_next_line(&line, &text, &n_lines, &status, err)) {
        status = limn_caption_is_blank(line) ? LIMN_OK : add(file, line, err);
        if (status != LIMN_OK) {
            limn_error_prefix(err, "line %zu", n_lines);
            return status;
        }
    }
    return status;
}

limn_status limn_caption_parse_tsv(limn_caption_file *file, limn_caption_text text, limn_error *err)
{
    file->format = "TSV";
    return parse_lines(file, text, add_tsv_line, err);
}

/* A caption without a picture: its name is its number in the file, from 1. */
static limn_status add_plain_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    char name[24];
    limn_caption_begin_entry(file);
    const int size = snprintf(name, sizeof name, "%zu", file->n_entries);
    return limn_caption_add(file, (limn_caption_text){ name, (size_t)size },
                            (limn_caption_text){ 0 }, line, err);
}

limn_status limn_caption_parse_plain(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err)
{
    file->format = "text";
    return parse_lines(file, text, add_plain_line, err);
}

limn_status limn_caption_parse_jsonl(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err)
{
    file->format = "JSONL";
    return parse_lines(file, text, add_json_line, err);
}

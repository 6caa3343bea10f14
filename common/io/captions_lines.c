/* Caption files of lines: TSV without a header, JSONL, captions alone. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/io/caption_fields.h"
#include "common/io/captions_parse.h"
#include "common/text/image_name.h"

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
    ++*n_lines;
    if (line->size > LIMN_CAPTION_LINE_MAX_SIZE)
        *status = limn_fail(err, LIMN_E_LIMIT, "line %zu: %zu bytes exceed the limit of %d",
                            *n_lines, line->size, LIMN_CAPTION_LINE_MAX_SIZE);
    else
        *status = limn_caption_check_text(*line, *n_lines, err);
    return *status == LIMN_OK;
}

static bool is_among(limn_caption_text word, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (word.size == strlen(words[i]) && !strncasecmp(word.bytes, words[i], word.size))
            return true;
    return false;
}

limn_status limn_caption_read_flag(bool *is_true, limn_caption_text flag, limn_error *err)
{
    static const char *const yes[] = { "1", "1.0", "true", "t", "yes", "y" };
    static const char *const no[] = { "0", "0.0", "false", "f",    "no", "n",
                                      "-", "nan", "none",  "null", "n/a" };
    enum { MAX_SHOWN = 40 };
    while (flag.size > 0 && flag.bytes[0] == ' ') flag.bytes++, flag.size--;
    while (flag.size > 0 && flag.bytes[flag.size - 1] == ' ') flag.size--;
    *is_true = flag.size > 0 && is_among(flag, yes, sizeof yes / sizeof *yes);
    if (*is_true || limn_caption_is_blank(flag) || is_among(flag, no, sizeof no / sizeof *no))
        return LIMN_OK;
    return limn_fail(err, LIMN_E_FORMAT, "\"%.*s\" is neither true nor false",
                     (int)(flag.size < MAX_SHOWN ? flag.size : MAX_SHOWN), flag.bytes);
}

bool limn_caption_is_blank(limn_caption_text line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.bytes[i] != ' ' && line.bytes[i] != '\t') return false;
    return true;
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

/* ---- TSV ---------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return '0' <= c && c <= '9';
}

static bool is_letter(char c)
{
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
}

/* The size of an id without its "#k" or "#zhc#k"; *number = k, -1 without. */
static size_t id_size(long *number, limn_caption_text id)
{
    enum { MAX_DIGITS = 9 };
    size_t at = id.size, kind;
    *number = -1;
    while (at > 0 && is_digit(id.bytes[at - 1])) at--;
    if (at == id.size || id.size - at > MAX_DIGITS || at < 2 || id.bytes[at - 1] != '#')
        return id.size;
    *number = 0;
    for (size_t i = at; i < id.size; i++) *number = 10 * *number + (id.bytes[i] - '0');
    for (kind = --at; kind > 0 && is_letter(id.bytes[kind - 1]);) kind--;
    return kind > 1 && kind < at && id.bytes[kind - 1] == '#' ? kind - 1 : at;
}

/* Splits a line at its first tab; without one at the blank behind "id#k". False where it has
 * neither. */
static bool split_line(limn_caption_text *id, limn_caption_text *rest, limn_caption_text line)
{
    const char *end = memchr(line.bytes, '\t', line.size);
    long number = 0;
    if (!end) {
        end = memchr(line.bytes, ' ', line.size);
        if (end) id_size(&number, (limn_caption_text){ line.bytes, (size_t)(end - line.bytes) });
    }
    if (!end || number < 0) return false;
    *id = (limn_caption_text){ line.bytes, (size_t)(end - line.bytes) };
    *rest = (limn_caption_text){ end + 1, line.size - id->size - 1 };
    return true;
}

static limn_status fail_split(limn_caption_text line, limn_error *err)
{
    enum { MAX_SHOWN = 40 };
    return limn_fail(err, LIMN_E_FORMAT,
                     "no tab between name and caption in \"%.*s\", and no header; known are %s%sid "
                     "for the image, %scaption_1 … for the caption",
                     (int)(line.size < MAX_SHOWN ? line.size : MAX_SHOWN), line.bytes,
                     limn_caption_field_names(LIMN_FIELD_FILE),
                     limn_caption_field_names(LIMN_FIELD_IMAGE_ID),
                     limn_caption_field_names(LIMN_FIELD_CAPTION));
}

static limn_status add_tsv(limn_caption_file *file, limn_caption_text id, limn_caption_text caption,
                           limn_error *err)
{
    long number;
    const limn_caption_item item = { .id = { id.bytes, id_size(&number, id) } };
    const size_t n_before = file->n_records;
    limn_caption_begin_entry(file);
    LIMN_TRY(limn_caption_add(file, &item, caption, err));
    if (file->n_records > n_before) file->records[n_before].number = number;
    return LIMN_OK;
}

static limn_status add_tsv_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    limn_caption_text id, caption;
    if (!split_line(&id, &caption, line)) return fail_split(line, err);
    return add_tsv(file, id, caption, err);
}

static limn_status add_swapped_line(limn_caption_file *file, limn_caption_text line,
                                    limn_error *err)
{
    limn_caption_text caption, id;
    if (!split_line(&caption, &id, line)) return fail_split(line, err);
    return add_tsv(file, id, caption, err);
}

/* ---- what the columns of a TSV look like -------------------------------------------------- */

/* What the first fields of a TSV look like. */
typedef enum look { LOOKS_OTHER, LOOKS_LIKE_NUMBER, LOOKS_LIKE_FILE } look;

static bool is_image(limn_caption_text text)
{
    if (text.size == 0 || memchr(text.bytes, ' ', text.size)) return false;
    return limn_image_name_stem(text.bytes, text.size) < text.size ||
           (text.size > 7 && memcmp(text.bytes, "http://", 7) == 0) ||
           (text.size > 8 && memcmp(text.bytes, "https://", 8) == 0);
}

static look look_of(limn_caption_text id)
{
    long number;
    size_t n_digits = 0;
    id.size = id_size(&number, id);
    while (n_digits < id.size && is_digit(id.bytes[n_digits])) n_digits++;
    return is_image(id)                         ? LOOKS_LIKE_FILE
           : id.size > 0 && n_digits == id.size ? LOOKS_LIKE_NUMBER
                                                : LOOKS_OTHER;
}

typedef struct tsv_looks {
    size_t n_lines, n_swapped;
    bool has_point;   /* in the first line's id: a file's name of whatever kind */
    look first, rest; /* rest: LOOKS_OTHER where lines differ */
} tsv_looks;

static tsv_looks look_at_tsv(limn_caption_text text)
{
    tsv_looks looks = { 0 };
    limn_caption_text line, id, rest;
    limn_status status;
    size_t n_lines = 0;
    while (limn_caption_next_line(&line, &text, &n_lines, &status, NULL)) {
        if (limn_caption_is_blank(line) || !split_line(&id, &rest, line)) continue;
        const look id_look = look_of(id);
        if (looks.n_lines == 0) {
            looks.first = id_look;
            looks.has_point = memchr(id.bytes, '.', id.size);
        }
        if (looks.n_lines == 1) looks.rest = id_look;
        if (looks.n_lines > 1 && looks.rest != id_look) looks.rest = LOOKS_OTHER;
        looks.n_swapped +=
            id_look == LOOKS_OTHER && memchr(id.bytes, ' ', id.size) && is_image(rest);
        looks.n_lines++;
    }
    return looks;
}

static limn_status fail_header(limn_caption_text text, limn_error *err)
{
    enum { MAX_SHOWN = 60 };
    const char *end = memchr(text.bytes, '\n', text.size);
    const size_t size = end ? (size_t)(end - text.bytes) : text.size;
    return limn_fail(
        err, LIMN_E_FORMAT,
        "line 1: \"%.*s\" looks like a header; known are %s%sid for the image, %scaption_1 "
        "… for the caption",
        (int)(size < MAX_SHOWN ? size : MAX_SHOWN), text.bytes,
        limn_caption_field_names(LIMN_FIELD_FILE), limn_caption_field_names(LIMN_FIELD_IMAGE_ID),
        limn_caption_field_names(LIMN_FIELD_CAPTION));
}

limn_status limn_caption_parse_tsv(limn_caption_file *file, limn_caption_text text, limn_error *err)
{
    const tsv_looks looks = look_at_tsv(text);
    file->format = "TSV";
    if (looks.n_lines > 0 && looks.n_swapped == looks.n_lines) {
        file->note = "the captions come first and the images' names second: read as such";
        return parse_lines(file, text, add_swapped_line, err);
    }
    if (looks.first == LOOKS_OTHER && !looks.has_point && looks.rest != LOOKS_OTHER)
        return fail_header(text, err);
    return parse_lines(file, text, add_tsv_line, err);
}

/* ---- captions alone, and JSONL ------------------------------------------------------------ */

/* A caption without an image: its name is its number in the file, from 1. */
static limn_status add_plain_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    char name[24];
    limn_caption_begin_entry(file);
    const int size = snprintf(name, sizeof name, "%zu", file->n_entries);
    return limn_caption_add(file, &(limn_caption_item){ .id = { name, (size_t)size } }, line, err);
}

limn_status limn_caption_parse_plain(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err)
{
    file->format = "text";
    return parse_lines(file, text, add_plain_line, err);
}

static limn_status add_json_line(limn_caption_file *file, limn_caption_text line, limn_error *err)
{
    json_t *document = NULL;
    LIMN_TRY(limn_json_parse(&document, line.bytes, line.size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status status = limn_caption_add_object(file, &root, NULL, err);
    json_decref(document);
    return status;
}

limn_status limn_caption_parse_jsonl(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err)
{
    file->format = "JSONL";
    return parse_lines(file, text, add_json_line, err);
}

/* The parsers behind captions.h, one for each family of formats, and the list that they fill. */
#ifndef LIMN_COMMON_IO_CAPTIONS_PARSE_H
#define LIMN_COMMON_IO_CAPTIONS_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/captions.h"
#include "common/io/json.h"

/* Text of a caption file, not NUL-terminated. */
typedef struct limn_caption_text {
    const char *bytes; /* [size] */
    size_t size;
} limn_caption_text;

/* ---- the list (caption_list.c) ------------------------------------------------------------ */

/* What a row or an object says of its captions: valid UTF-8 without NUL, borrowed. bytes == NULL
 * stands for none. */
typedef struct limn_caption_item {
    limn_caption_text id, alias, split;
    limn_caption_name id_kind, alias_kind;
    bool is_rejected;
} limn_caption_item;

/* Given the names from fields for files (as id) and for images' ids (as alias), each where there
 * is one: the first becomes the id, the other the alias. `own` is the id, or `url`, where there is
 * neither; beside a file alone, `own` is the alias. */
void limn_caption_choose_names(limn_caption_item *item, limn_caption_text own,
                               limn_caption_text url);

/* Begins a list that is read as `how` says (borrowed). LIMN_E_NOMEM. */
limn_status limn_caption_begin(limn_caption_file *file, const limn_caption_reading *how,
                               limn_error *err);
const limn_caption_reading *limn_caption_how(const limn_caption_file *file);
/* Begins the next entry. */
void limn_caption_begin_entry(limn_caption_file *file);
/* Copies a record to the current entry, unless it is of a split that is not wanted. A caption with
 * bytes == NULL stands for none. LIMN_E_LIMIT, LIMN_E_FORMAT for an empty id, LIMN_E_NOMEM. */
limn_status limn_caption_add(limn_caption_file *file, const limn_caption_item *item,
                             limn_caption_text caption, limn_error *err);
/* Sets the confidence fields of a record; signals with bytes == NULL stand for none.
 * LIMN_E_NOMEM. */
limn_status limn_caption_set_sureness(limn_caption_file *file, size_t record, double confidence,
                                      limn_caption_text signals, limn_error *err);
/* Counts a text file without an image; keeps the first one's path. LIMN_E_NOMEM. */
limn_status limn_caption_note_orphan(limn_caption_file *file, const char *path, limn_error *err);
/* When all is added: LIMN_E_ARG where no record is of the splits that are wanted, LIMN_E_FORMAT for
 * an empty list. */
limn_status limn_caption_check_list(const limn_caption_file *file, limn_error *err);

/* ---- bytes (caption_bytes.c) -------------------------------------------------------------- */

/* Replaces *bytes [*size] (limn_free) by UTF-8 with lines that end in LF: unpacks gzip, converts
 * UTF-16 that has a byte order mark and CR that no LF follows, drops the mark. LIMN_E_TRUNCATED,
 * LIMN_E_FORMAT for broken gzip data, broken UTF-16 and UTF-16 without a mark, LIMN_E_LIMIT,
 * LIMN_E_NOMEM. */
limn_status limn_caption_decode(char **bytes, size_t *size, limn_error *err);
/* LIMN_E_FORMAT for NUL and invalid UTF-8, naming the byte; "line N, byte M" with line > 0.
 */
limn_status limn_caption_check_text(limn_caption_text text, size_t line, limn_error *err);

/* ---- lines (captions_lines.c) ------------------------------------------------------------- */

/* Takes the next line from *text into *line (without its end) and counts it in *n_lines. False at
 * the end. LIMN_E_LIMIT for a long line, LIMN_E_FORMAT for NUL and invalid UTF-8 come in *status,
 * with the result false. */
bool limn_caption_next_line(limn_caption_text *line, limn_caption_text *text, size_t *n_lines,
                            limn_status *status, limn_error *err);

bool limn_caption_is_blank(limn_caption_text line); /* empty, or spaces and tabs alone */
/* A flag as a word, in any case: "1", "true", "yes"; "", "0", "false", "no", and what stands for
 * none. LIMN_E_FORMAT for any other. */
limn_status limn_caption_read_flag(bool *is_true, limn_caption_text flag, limn_error *err);

/* ---- formats ------------------------------------------------------------------------------ */

limn_status limn_caption_parse_tsv(limn_caption_file *file, limn_caption_text text,
                                   limn_error *err);
limn_status limn_caption_parse_jsonl(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err);
/* One caption a line. */
limn_status limn_caption_parse_plain(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err);

/* The character between the fields of a header that names an image and a caption (',' ';' '|' or a
 * tab), with which the text begins; '\0' where it has none. */
char limn_caption_table_separator(limn_caption_text text);
limn_status limn_caption_parse_table(limn_caption_file *file, limn_caption_text text,
                                     char separator, limn_error *err);
/* LIMN_E_FORMAT where the text begins with a header that names only one of both, or with one that
 * is unknown: the names that are known, and the header. */
limn_status limn_caption_check_header(limn_caption_text text, limn_error *err);

/* One JSON document of any kind (captions_json.c). */
limn_status limn_caption_parse_json(limn_caption_file *file, limn_caption_text text,
                                    limn_error *err);

/* NAME.txt beside NAME.jpg, see captions.h. Errors begin with a path. */
limn_status limn_caption_read_folder(limn_caption_file *file, const char *path, limn_error *err);

/* ---- objects (captions_object.c) ---------------------------------------------------------- */

/* Adds what an object of JSONL or of COCO says. `names` (NULL: none): file names of images by
 * their ids, {id: name}. */
limn_status limn_caption_add_object(limn_caption_file *file, const limn_json_node *object,
                                    const json_t *names, limn_error *err);
/* A name: a string, an integer (written to `digits`), a whole number with a fraction of zero, or an
 * object with a "path". */
limn_status limn_caption_read_name(limn_caption_text *out, char digits[24],
                                   const limn_json_node *node, limn_error *err);
/* Adds a string, or the strings of an array; of an object, its caption. null: none. */
limn_status limn_caption_add_value(limn_caption_file *file, const limn_json_node *value,
                                   const limn_caption_item *item, limn_error *err);
/* Whether a value is a string that is not blank, or an array that is not empty. */
bool limn_caption_has_text(const json_t *value);
/* Whether an object has a field that names an image and one with a caption (or "error"). */
bool limn_caption_is_object(const json_t *value);

limn_caption_text limn_caption_text_of(const char *string); /* NULL: none */

#endif

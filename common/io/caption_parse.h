/* The parsers behind captions.h, one for each family of formats, and the list that they fill. */
#ifndef LIMN_COMMON_IO_CAPTION_PARSE_H
#define LIMN_COMMON_IO_CAPTION_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/status.h"
#include "common/io/captions.h"
#include "common/io/json.h"

/* Text of a caption file, not NUL-terminated. */
typedef struct limn_caption_text {
    const char *bytes; /* [size] */
    size_t size;
} limn_caption_text;

/* ---- the list ----------------------------------------------------------------------------- */

/* Begins the next entry; at least one record must be added to it. */
void limn_caption_begin_entry(limn_caption_file *file);
/* Copies a record to the current entry. A caption with bytes == NULL stands for none; an alias too.
 * The strings must be valid UTF-8 without NUL. LIMN_E_LIMIT, LIMN_E_FORMAT for an empty id,
 * LIMN_E_NOMEM. */
limn_status limn_caption_add(limn_caption_file *file, limn_caption_text id, limn_caption_text alias,
                             limn_caption_text caption, limn_error *err);
/* Sets what a record says of its caption's sureness; signals with bytes == NULL stand for none.
 * LIMN_E_NOMEM. */
limn_status limn_caption_set_sureness(limn_caption_file *file, size_t record, double confidence,
                                      limn_caption_text signals, limn_error *err);
/* Counts a text file that stands beside no picture; keeps the first one's path. LIMN_E_NOMEM. */
limn_status limn_caption_note_orphan(limn_caption_file *file, const char *path, limn_error *err);

/* ---- lines -------------------------------------------------------------------------------- */

/* Takes the next line from *text into *line (without its end) and counts it in *n_lines. False at
 * the end. LIMN_E_LIMIT for a long line, LIMN_E_FORMAT for NUL and invalid UTF-8 come in *status,
 * with the result false. */
bool limn_caption_next_line(limn_caption_text *line, limn_caption_text *text, size_t *n_lines,
                            limn_status *status, limn_error *err);

bool limn_caption_is_blank(limn_caption_text line); /* empty, or spaces and tabs alone */
/* The text without the byte order mark that it may begin with. */
limn_caption_text limn_caption_without_mark(const char *bytes, size_t size);

/* ---- formats ------------------------------------------------------------------------------ */

/* Whether a field of this name holds ids, or captions. */
bool limn_caption_is_id_field(const char *name, size_t size);
bool limn_caption_is_caption_field(const char *name, size_t size);

limn_status limn_caption_parse_tsv(limn_caption_file *file, limn_caption_text text,
                                   limn_error *err);
limn_status limn_caption_parse_table(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err);
limn_status limn_caption_parse_jsonl(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err);
/* One caption a line. */
limn_status limn_caption_parse_plain(limn_caption_file *file, limn_caption_text text,
                                     limn_error *err);
/* One JSON document: COCO or Karpathy. */
limn_status limn_caption_parse_json(limn_caption_file *file, limn_caption_text text,
                                    const char *split, limn_error *err);

/* NAME.txt beside NAME.jpg, see captions.h. Errors begin with a path. */
limn_status limn_caption_read_folder(limn_caption_file *file, const char *path, limn_error *err);

/* Whether the text begins with a line that names an id field and a caption field. */
bool limn_caption_is_table(limn_caption_text text);
/* Adds what an object of JSONL or of COCO results says. */
limn_status limn_caption_add_object(limn_caption_file *file, const limn_json_node *object,
                                    limn_error *err);

#endif

/* Writers: how a format renders one image. A format is a const struct in writer.c's table; where
 * the bytes go is up to a sink (tools/annotate/sinks/sink.h). */
#ifndef LIMN_TOOLS_ANNOTATE_WRITERS_WRITER_H
#define LIMN_TOOLS_ANNOTATE_WRITERS_WRITER_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"

typedef struct limn_record {
    const char *path;        /* as written to the output */
    const limn_error *error; /* NULL when there are captions; the text does not repeat the path */
    const limn_captions *captions;    /* NULL when there is an error; without items when no caption
                                       * is confident enough: an empty one is written */
    const limn_model *model;          /* for the texts of tokens */
    bool has_n_best;                  /* the user asked for more than one caption */
    const limn_caption *best;         /* of what was found; may not be among `captions` */
    bool has_confidence, has_signals; /* the user asked for these */
    bool is_csv_safe;                 /* put ' before CSV cells that would be computed */
    bool has_token_ids;               /* ids of tokens too */
    size_t n_alternatives;            /* alternatives per token; 0: none */
} limn_record;

typedef struct limn_writer {
    const char *name;      /* as in --format */
    const char *extension; /* of output files in this format: ".jsonl"; NULL: never implied by a
                            * file name */
    bool is_below_output;  /* a record's path is below the output file's folder */
    const char *head;      /* bytes before the first record, between records, and after the last; */
    const char *separator; /* NULL: none */
    const char *foot;
    /* Appends the record of one image: whole lines, or nothing (a failure, mostly). Any
     * thread. */
    void (*render)(limn_buffer *out, const limn_record *record);
    /* Reads a record that `render` made from the beginning of `text` [size]: its *record_size,
     * and the path, appended to `name`. 0 when it is not complete (torn off). LIMN_E_FORMAT. */
    limn_status (*parse)(limn_buffer *name, size_t *record_size, const char *text, size_t size,
                         limn_error *err);
} limn_writer;

extern const limn_writer limn_writer_text;
extern const limn_writer limn_writer_jsonl;
extern const limn_writer limn_writer_csv;
extern const limn_writer limn_writer_tsv;
extern const limn_writer limn_writer_coco;
extern const limn_writer limn_writer_metadata;
extern const limn_writer limn_writer_caption; /* in sidecars too */
extern const limn_writer limn_writer_csv_confidence, limn_writer_tsv_confidence; /* + a column */

/* Whether there were captions, but none was confident enough. */
bool limn_record_is_left_out(const limn_record *record);
/* The best caption's text; "" for one that is left out. There are captions. */
const char *limn_record_text(const limn_record *record);

/* The `parse` of formats whose lines begin with an escaped name and a tab. */
limn_status limn_writer_parse_text(limn_buffer *name, size_t *record_size, const char *text,
                                   size_t size, limn_error *err);

/* By limn_format; `has_confidence`: with a column for it, where a format has columns. */
const limn_writer *limn_writer_of(limn_format format, bool has_confidence);

#endif

/* Writers: what a format makes of one picture. A format is a const struct in writer.c's table. */
#ifndef LIMN_TOOLS_WRITERS_WRITER_H
#define LIMN_TOOLS_WRITERS_WRITER_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "models/captioner.h"

typedef struct limn_record {
    const char *path;
    const limn_error *error; /* NULL when there are captions; the text does not repeat the path */
    const limn_captions *captions; /* NULL when there is an error */
    const limn_model *model;       /* for the texts of tokens */
    bool has_n_best;               /* the user asked for more than one caption */
    bool has_alternatives;         /* and for those of each token */
} limn_record;

typedef struct limn_writer {
    const char *name; /* as in --format */
    /* Appends whole lines for one picture, or nothing. Any thread. */
    void (*render)(limn_buffer *out, const limn_record *record);
} limn_writer;

extern const limn_writer limn_writer_text;
extern const limn_writer limn_writer_jsonl;

/* For --format: the writers, and their names in the same order, NULL after the last. */
extern const limn_writer *const limn_writers[];
extern const char *const limn_writer_names[];

#endif

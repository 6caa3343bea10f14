/* The files that METEOR reads its words from, as they come in PyPI's pycocoevalcap, in `meteor/`:
 *
 *     FOLDER/meteor-1.5.jar              a zip that holds function/, nonbreaking/ and synonym/
 *     FOLDER/data/paraphrase-en.gz       the paraphrase table
 *
 * or the jar unpacked, FOLDER/function/english.words and so on; an unpacked file wins. */
#ifndef LIMN_COMMON_METRICS_METEOR_RESOURCE_H
#define LIMN_COMMON_METRICS_METEOR_RESOURCE_H

#include <stddef.h>

#include "common/base/status.h"

enum { LIMN_METEOR_N_RESOURCES = 4 };

typedef struct limn_meteor_resource {
    const char *name; /* "function/english.words" */
    char *bytes;      /* [size]; limn_meteor_resources_finish frees it */
    size_t size;
} limn_meteor_resource;

typedef struct limn_meteor_resources {
    limn_meteor_resource function_words, prefixes, synsets, exceptions;
} limn_meteor_resources;

/* LIMN_E_IO when the folder lacks one, named in the text; LIMN_E_FORMAT for a damaged jar,
 * LIMN_E_LIMIT for files above 64 MB, LIMN_E_NOMEM. */
limn_status limn_meteor_resources_read(limn_meteor_resources *out, const char *folder,
                                       limn_error *err);
void limn_meteor_resources_finish(limn_meteor_resources *r); /* accepts a zeroed struct */

/* FOLDER/name; the caller frees it with limn_free(). NULL when out of memory. */
char *limn_meteor_path(const char *folder, const char *name);

/* The next line of *text [up to `end`] without its line end; moves *text past it. NULL at the
 * end. */
const char *limn_meteor_next_line(size_t *line_size, const char **text, const char *end);
/* The next word between blanks of *text [up to `end`]; NULL when there is none left. */
const char *limn_meteor_next_word(size_t *word_size, const char **text, const char *end);

#endif

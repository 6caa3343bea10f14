/* METEOR's own tokenizer (`-norm`, English): symbols and punctuation become words, dashes inside
 * words are removed, "man's" becomes "man 's", a final dot is split off except after
 * abbreviations. */
#ifndef LIMN_COMMON_METRICS_METEOR_NORMALIZE_H
#define LIMN_COMMON_METRICS_METEOR_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/code_points.h"
#include "common/text/string_table.h"
#include "common/text/text_buffer.h"

/* Words after which a dot does not end the sentence ("Mr"), from METEOR's
 * nonbreaking/english.prefixes. Read-only after parsing. */
typedef struct limn_meteor_prefixes {
    limn_string_table words;
    bool *is_numeric_only; /* [words.n_strings]: only before a number ("No") */
    size_t capacity;
} limn_meteor_prefixes;

/* `text` is the file [size bytes]. LIMN_E_NOMEM. */
limn_status limn_meteor_prefixes_parse(limn_meteor_prefixes *out, const char *text, size_t size,
                                       limn_error *err);
void limn_meteor_prefixes_finish(limn_meteor_prefixes *p); /* accepts a zeroed struct */

/* Scratch memory of one thread. Zero-initialise. */
typedef struct limn_meteor_normalizer {
    limn_code_points in, out;
    limn_text text;
} limn_meteor_normalizer;

/* Appends the words of a caption to `words`, in lower case, one space after each. The
 * caption is UTF-8 [size bytes]. LIMN_E_FORMAT where it is not, LIMN_E_NOMEM. */
limn_status limn_meteor_normalize(limn_text *words, limn_meteor_normalizer *n,
                                  const limn_meteor_prefixes *prefixes, const char *caption,
                                  size_t size, limn_error *err);
void limn_meteor_normalizer_finish(limn_meteor_normalizer *n);

#endif

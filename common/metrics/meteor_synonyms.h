/* Which WordNet synsets a word is in, as METEOR sees it: those of the word, and those of its base
 * forms (from the list of exceptions, or else by taking an ending off). */
#ifndef LIMN_COMMON_METRICS_METEOR_SYNONYMS_H
#define LIMN_COMMON_METRICS_METEOR_SYNONYMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/string_table.h"

typedef struct limn_id_list {
    uint32_t *items; /* [n_items] */
    size_t n_items, capacity;
} limn_id_list;

/* Zero-initialise; read-only, and shareable between threads, once both files are read. */
typedef struct limn_meteor_synonyms {
    limn_string_table words;
    struct limn_synset_range {
        size_t begin, end; /* in synsets.items */
    } * ranges;            /* [words.n_strings] */
    size_t ranges_capacity;
    limn_id_list synsets;
    limn_string_table forms, bases; /* irregular forms ("geese") and their bases ("goose") */
    limn_id_list form_of, base_of;  /* [n_exceptions] numbers in `forms` and `bases` */
} limn_meteor_synonyms;

/* Two lines a word: the word, its synsets' numbers. LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_meteor_synonyms_read_synsets(limn_meteor_synonyms *s, const char *text,
                                              size_t size, limn_error *err);
/* Two lines a word: the base form, its irregular forms. */
limn_status limn_meteor_synonyms_read_exceptions(limn_meteor_synonyms *s, const char *text,
                                                 size_t size, limn_error *err);
void limn_meteor_synonyms_finish(limn_meteor_synonyms *s);

/* Appends the synsets of a word (lower case, UTF-8) to `out`, ascending, each once.
 * LIMN_E_NOMEM. */
limn_status limn_meteor_synonyms_append(limn_id_list *out, const limn_meteor_synonyms *s,
                                        const char *word, size_t size, limn_error *err);

#endif

/* METEOR's paraphrase table: phrases of up to a few words that mean the same.
 *
 * The table comes as 62 MB of gzip that takes seconds to read. A cache file holds it ready for use;
 * it is written once, where the caller says, and rewritten when the table changes. */
#ifndef LIMN_COMMON_METRICS_METEOR_PARAPHRASES_H
#define LIMN_COMMON_METRICS_METEOR_PARAPHRASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/io/fileio.h"
#include "common/text/string_table.h"

#define LIMN_METEOR_NO_WORD UINT16_MAX /* a word that occurs in no paraphrase */

/* Zero-initialise. Read-only, and shareable between threads, once opened.
 *
 * A record in the pool is a source phrase and its paraphrases: its number of words, the words; how
 * many paraphrases; of each the number of words, the words. */
typedef struct limn_meteor_paraphrases {
    limn_string_table words;
    const uint32_t *slots; /* [n_slots], a power of two: where a record begins + 1, or 0 */
    size_t n_slots;
    const uint16_t *pool; /* [pool_size] */
    size_t pool_size;
    size_t max_source_words; /* in the longest source phrase */
    uint32_t *owned_slots;   /* NULL when they are in a cache that was read */
    uint16_t *owned_pool;
    limn_file_bytes cache;
} limn_meteor_paraphrases;

/* Reads `table`, through the cache file when `cache` is not NULL. LIMN_E_IO, LIMN_E_FORMAT,
 * LIMN_E_LIMIT (more than 65535 different words), LIMN_E_NOMEM; errors begin with the path. */
limn_status limn_meteor_paraphrases_open(limn_meteor_paraphrases *out, const char *table,
                                         const char *cache, limn_error *err);
void limn_meteor_paraphrases_finish(limn_meteor_paraphrases *p); /* accepts a zeroed struct */

/* The number of a word, LIMN_METEOR_NO_WORD when the table lacks it. */
uint16_t limn_meteor_paraphrases_word(const limn_meteor_paraphrases *p, const char *word,
                                      size_t size);

/* The paraphrases of one phrase, in the order of the table:
 *
 *     limn_meteor_paraphrase_list l = limn_meteor_paraphrases_of(p, words, n_words);
 *     while (limn_meteor_next_paraphrase(&l)) … l.words[0 … l.n_words - 1] … */
typedef struct limn_meteor_paraphrase_list {
    const uint16_t *words; /* [n_words] */
    size_t n_words;
    const uint16_t *next, *end;
    size_t n_left;
} limn_meteor_paraphrase_list;

limn_meteor_paraphrase_list limn_meteor_paraphrases_of(const limn_meteor_paraphrases *p,
                                                       const uint16_t *words, size_t n_words);
bool limn_meteor_next_paraphrase(limn_meteor_paraphrase_list *l);

/* ---- for the reader of the table ---------------------------------------------------------- */

/* A phrase's first slot in a table of n_slots; further ones follow. */
size_t limn_meteor_phrase_slot(const uint16_t *words, size_t n_words, size_t n_slots);

/* Reads the gzip table itself into a zeroed struct. */
limn_status limn_meteor_paraphrases_read(limn_meteor_paraphrases *out, const char *table,
                                         limn_error *err);

#endif

/* How often each word occurs: what vocabularies are built from. One thread at a time. */
#ifndef LIMN_COMMON_TEXT_WORD_COUNTS_H
#define LIMN_COMMON_TEXT_WORD_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct limn_word_counts limn_word_counts;

typedef struct limn_word_count {
    const char *word; /* belongs to the counts; valid until the next addition */
    uint64_t count;
} limn_word_count;

limn_status limn_word_counts_create(limn_word_counts **out, limn_error *err); /* LIMN_E_NOMEM */
void limn_word_counts_destroy(limn_word_counts **c); /* accepts NULL and *c == NULL; nulls it */

/* Counts the words of `text`, which are separated by single spaces. LIMN_E_NOMEM. */
limn_status limn_word_counts_add(limn_word_counts *c, const char *text, limn_error *err);
/* Counts one word of `size` bytes, which may hold spaces but no NUL. LIMN_E_NOMEM. */
limn_status limn_word_counts_add_word(limn_word_counts *c, const char *word, size_t size,
                                      limn_error *err);
/* How often a word of `size` bytes was counted. */
uint64_t limn_word_counts_of(const limn_word_counts *c, const char *word, size_t size);

uint64_t limn_word_counts_total(const limn_word_counts *c); /* of all words */
size_t limn_word_counts_n_different(const limn_word_counts *c);

/* All different words [limn_word_counts_n_different], the most frequent first, equally frequent
 * ones in the order of their bytes. The caller frees with limn_free(). LIMN_E_NOMEM. */
limn_status limn_word_counts_sorted(limn_word_count **out, const limn_word_counts *c,
                                    limn_error *err);

#endif

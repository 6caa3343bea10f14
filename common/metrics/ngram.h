/* n-grams of words, and how often each occurs in a sentence: what BLEU and CIDEr count.
 *
 * All structs are scratch memory of one thread: zero-initialise them and reuse them from sentence
 * to sentence; once they have grown to the longest, nothing is allocated. */
#ifndef LIMN_COMMON_METRICS_NGRAM_H
#define LIMN_COMMON_METRICS_NGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

enum { LIMN_NGRAM_MAX_ORDER = 4 };
#define LIMN_NO_WORD UINT32_MAX

/* Words by number: of a string table, of a vocabulary. */
typedef struct limn_sentence {
    const uint32_t *words; /* [n_words], none of them LIMN_NO_WORD */
    size_t n_words;
} limn_sentence;

typedef struct limn_ngram {
    uint32_t words[LIMN_NGRAM_MAX_ORDER]; /* LIMN_NO_WORD after the last */
} limn_ngram;

typedef struct limn_ngram_entry {
    limn_ngram ngram;
    uint32_t count, mark; /* for the table's owner; 0 when new */
} limn_ngram_entry;

/* Different n-grams, numbered from 0 in the order in which they were added. */
typedef struct limn_ngram_table {
    limn_ngram_entry *entries; /* [n_ngrams] */
    size_t n_ngrams, capacity;
    uint32_t *slots; /* [n_slots], a power of two, at most half in use: number + 1, or 0 */
    size_t n_slots;
} limn_ngram_table;

/* The entry of an n-gram, which is added when it is new; valid until the next addition.
 * LIMN_E_NOMEM; LIMN_E_LIMIT beyond 2^31. */
limn_status limn_ngram_table_add(limn_ngram_entry **entry, limn_ngram_table *t,
                                 const limn_ngram *ngram, limn_error *err);
/* NULL when it was never added. */
const limn_ngram_entry *limn_ngram_table_find(const limn_ngram_table *t, const limn_ngram *ngram);
void limn_ngram_table_clear(limn_ngram_table *t); /* keeps the memory */
void limn_ngram_table_finish(limn_ngram_table *t);

/* The n-grams of order 1 … 4 of one sentence. */
typedef struct limn_ngram_counts {
    limn_ngram_table table; /* `count`: how often */
    /* Those of order n are begins[n - 1] … begins[n] - 1, by first occurrence. */
    size_t begins[LIMN_NGRAM_MAX_ORDER + 1];
    size_t n_words; /* of the sentence */
} limn_ngram_counts;

/* LIMN_E_NOMEM */
limn_status limn_ngram_counts_fill(limn_ngram_counts *c, limn_sentence sentence, limn_error *err);
uint32_t limn_ngram_counts_of(const limn_ngram_counts *c, const limn_ngram *ngram);
void limn_ngram_counts_finish(limn_ngram_counts *c);

/* The counts of a candidate's references. Zero-initialise. */
typedef struct limn_ngram_counts_list {
    limn_ngram_counts *items; /* [n_items] */
    size_t n_items, capacity; /* `capacity` of them have been used and keep their memory */
} limn_ngram_counts_list;

/* Counts the n-grams of n_sentences. LIMN_E_NOMEM. */
limn_status limn_ngram_counts_list_fill(limn_ngram_counts_list *list,
                                        const limn_sentence *sentences, size_t n_sentences,
                                        limn_error *err);
void limn_ngram_counts_list_finish(limn_ngram_counts_list *list);

#endif

/* The n-grams of all sentences of a corpus, each n-gram a number: what BLEU and CIDEr-D of every
 * image are computed from, without looking n-grams up again. */
#ifndef LIMN_COMMON_METRICS_CORPUS_NGRAMS_H
#define LIMN_COMMON_METRICS_CORPUS_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/metrics/ngram.h"

/* Different n-grams of all orders, numbered from 0 as they are met. An n-gram is its first n - 1
 * words, as the number of that n-gram, and its last word: one integer. */
typedef struct limn_ngram_ids {
    struct limn_ngram_id_slot *slots; /* [n_slots], a power of two, at most half in use */
    size_t n_slots;
    uint32_t n_ids;
} limn_ngram_ids;

/* An n-gram of a sentence, and how often it occurs there. */
typedef struct limn_counted_ngram {
    uint32_t id, count;
} limn_counted_ngram;

typedef struct limn_counted_sentence {
    /* Its n-grams of order n are begins[n - 1] … begins[n] - 1, by first occurrence. */
    size_t begins[LIMN_NGRAM_MAX_ORDER + 1];
    size_t n_words;
} limn_counted_sentence;

/* Zero-initialise. */
typedef struct limn_corpus_ngrams {
    limn_ngram_ids ids;
    limn_counted_ngram *ngrams; /* [n_ngrams] of all sentences, one sentence after another */
    size_t n_ngrams, ngrams_capacity;
    limn_counted_sentence *sentences; /* [n_sentences] */
    size_t n_sentences, sentences_capacity;
    size_t *places; /* [places_capacity >= n_ids] for the sentence at hand; otherwise all 0 */
    size_t places_capacity;
    uint32_t *prefixes; /* [prefixes_capacity] of the sentence at hand */
    size_t prefixes_capacity;
} limn_corpus_ngrams;

/* Adds a sentence. LIMN_E_NOMEM; LIMN_E_LIMIT beyond 2^31 - 1 different n-grams. */
limn_status limn_corpus_ngrams_add(limn_corpus_ngrams *c, limn_sentence sentence, limn_error *err);
void limn_corpus_ngrams_finish(limn_corpus_ngrams *c);

#endif

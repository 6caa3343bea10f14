#include "common/metrics/corpus_ngrams.h"

#include <string.h>

#include "common/base/mem.h"

enum { FIRST_SLOTS = 4096 };
#define NO_PREFIX UINT32_MAX

/* ---- numbers of n-grams ------------------------------------------------------------------- */

struct limn_ngram_id_slot {
    uint64_t key; /* prefix and last word, + 1; 0: free */
    uint32_t id;
};

/* The slot of an n-gram, or the free one where it belongs. */
static struct limn_ngram_id_slot *find_slot(const limn_ngram_ids *t, uint64_t key)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(h ^ h >> 32) & (t->n_slots - 1);
    while (t->slots[i].key && t->slots[i].key != key) i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

static limn_status grow_slots(limn_ngram_ids *t, limn_error *err)
{
    limn_ngram_ids larger = { .n_slots = t->n_slots ? 2 * t->n_slots : FIRST_SLOTS,
                              .n_ids = t->n_ids };
    larger.slots = limn_calloc(larger.n_slots, sizeof *larger.slots);
    if (!larger.slots)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", larger.n_slots / 2);
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i].key) *find_slot(&larger, t->slots[i].key) = t->slots[i];
    limn_free(t->slots);
    *t = larger;
    return LIMN_OK;
}

static limn_status add_ngram(uint32_t *id, limn_ngram_ids *t, uint32_t prefix, uint32_t word,
                             limn_error *err)
{
    if (2 * ((size_t)t->n_ids + 1) > t->n_slots) LIMN_TRY(grow_slots(t, err));
    const uint64_t key = ((uint64_t)prefix << 32 | word) + 1;
    struct limn_ngram_id_slot *slot = find_slot(t, key);
    if (!slot->key) {
        if (t->n_ids >= INT32_MAX)
            return limn_fail(err, LIMN_E_LIMIT, "more than %d different n-grams", INT32_MAX);
        *slot = (struct limn_ngram_id_slot){ key, t->n_ids++ };
    }
    *id = slot->id;
    return LIMN_OK;
}

/* ---- sentences ---------------------------------------------------------------------------- */

static limn_status make_room(limn_corpus_ngrams *c, size_t n_words, limn_error *err)
{
    const size_t n = LIMN_NGRAM_MAX_ORDER * n_words, before = c->places_capacity;
    if (!limn_grow((void **)&c->ngrams, &c->ngrams_capacity, c->n_ngrams + n, sizeof *c->ngrams) ||
        !limn_grow((void **)&c->sentences, &c->sentences_capacity, c->n_sentences + 1,
                   sizeof *c->sentences) ||
        !limn_grow((void **)&c->prefixes, &c->prefixes_capacity, n_words, sizeof *c->prefixes) ||
        !limn_grow((void **)&c->places, &c->places_capacity, c->ids.n_ids + n, sizeof *c->places))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", c->n_ngrams + n);
    if (c->places_capacity > before)
        memset(c->places + before, 0, (c->places_capacity - before) * sizeof *c->places);
    return LIMN_OK;
}

/* The n-grams of one order; prefixes [n_words] are those of the order before, and become these. */
static limn_status count_order(limn_corpus_ngrams *c, limn_sentence s, size_t order,
                               limn_error *err)
{
    for (size_t i = 0; i + order <= s.n_words; i++) {
        const uint32_t prefix = order > 1 ? c->prefixes[i] : NO_PREFIX;
        uint32_t id = 0;
        LIMN_TRY(add_ngram(&id, &c->ids, prefix, s.words[i + order - 1], err));
        c->prefixes[i] = id;
        if (!c->places[id]) {
            c->ngrams[c->n_ngrams++] = (limn_counted_ngram){ .id = id };
            c->places[id] = c->n_ngrams;
        }
        c->ngrams[c->places[id] - 1].count++;
    }
    return LIMN_OK;
}

limn_status limn_corpus_ngrams_add(limn_corpus_ngrams *c, limn_sentence sentence, limn_error *err)
{
    const size_t begin = c->n_ngrams;
    limn_counted_sentence counted = { .begins = { begin }, .n_words = sentence.n_words };
    limn_status s = make_room(c, sentence.n_words, err);
    for (size_t order = 1; s == LIMN_OK && order <= LIMN_NGRAM_MAX_ORDER; order++) {
        s = count_order(c, sentence, order, err);
        counted.begins[order] = c->n_ngrams;
    }
    for (size_t i = begin; i < c->n_ngrams; i++) c->places[c->ngrams[i].id] = 0;
    if (s == LIMN_OK)
        c->sentences[c->n_sentences++] = counted;
    else
        c->n_ngrams = begin;
    return s;
}

void limn_corpus_ngrams_finish(limn_corpus_ngrams *c)
{
    limn_free(c->ids.slots);
    limn_free(c->ngrams);
    limn_free(c->sentences);
    limn_free(c->places);
    limn_free(c->prefixes);
    *c = (limn_corpus_ngrams){ 0 };
}

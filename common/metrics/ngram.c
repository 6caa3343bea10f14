#include "common/metrics/ngram.h"

#include <string.h>

#include "common/base/mem.h"

enum { FIRST_SLOTS = 256 };

/* ---- table -------------------------------------------------------------------------------- */

static size_t hash_of(const limn_ngram *ngram)
{
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < LIMN_NGRAM_MAX_ORDER; i++) {
        h = (h ^ ngram->words[i]) * 0xBF58476D1CE4E5B9u;
        h ^= h >> 29;
    }
    return (size_t)h;
}

/* The slot of an n-gram, or the free one where it belongs. */
static uint32_t *find_slot(const limn_ngram_table *t, const limn_ngram *ngram)
{
    size_t i = hash_of(ngram) & (t->n_slots - 1);
    while (t->slots[i] && memcmp(&t->entries[t->slots[i] - 1].ngram, ngram, sizeof *ngram) != 0)
        i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

static limn_status grow_slots(limn_ngram_table *t, limn_error *err)
{
    const size_t n_slots = t->n_slots ? 2 * t->n_slots : FIRST_SLOTS;
    uint32_t *slots = limn_calloc(n_slots, sizeof *slots);
    if (!slots) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", n_slots / 2);
    limn_free(t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (uint32_t i = 0; i < t->n_ngrams; i++) *find_slot(t, &t->entries[i].ngram) = i + 1;
    return LIMN_OK;
}

limn_status limn_ngram_table_add(limn_ngram_entry **entry, limn_ngram_table *t,
                                 const limn_ngram *ngram, limn_error *err)
{
    if (2 * (t->n_ngrams + 1) > t->n_slots) LIMN_TRY(grow_slots(t, err));
    uint32_t *slot = find_slot(t, ngram);
    if (!*slot) {
        if (t->n_ngrams >= INT32_MAX)
            return limn_fail(err, LIMN_E_LIMIT, "more than %d different n-grams", INT32_MAX);
        if (!limn_grow((void **)&t->entries, &t->capacity, t->n_ngrams + 1, sizeof *t->entries))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu n-grams", t->n_ngrams + 1);
        t->entries[t->n_ngrams] = (limn_ngram_entry){ .ngram = *ngram };
        *slot = (uint32_t)++t->n_ngrams;
    }
    *entry = &t->entries[*slot - 1];
    return LIMN_OK;
}

const limn_ngram_entry *limn_ngram_table_find(const limn_ngram_table *t, const limn_ngram *ngram)
{
    const uint32_t *slot = t->n_slots ? find_slot(t, ngram) : NULL;
    return slot && *slot ? &t->entries[*slot - 1] : NULL;
}

void limn_ngram_table_clear(limn_ngram_table *t)
{
    if (t->n_slots) memset(t->slots, 0, t->n_slots * sizeof *t->slots);
    t->n_ngrams = 0;
}

void limn_ngram_table_finish(limn_ngram_table *t)
{
    limn_free(t->entries);
    limn_free(t->slots);
    *t = (limn_ngram_table){ 0 };
}

/* ---- counts ------------------------------------------------------------------------------- */

static limn_status count_order(limn_ngram_counts *c, limn_sentence sentence, size_t order,
                               limn_error *err)
{
    limn_ngram ngram = { { LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD } };
    for (size_t i = 0; i + order <= sentence.n_words; i++) {
        limn_ngram_entry *entry;
        memcpy(ngram.words, sentence.words + i, order * sizeof *ngram.words);
        LIMN_TRY(limn_ngram_table_add(&entry, &c->table, &ngram, err));
        entry->count++;
    }
    return LIMN_OK;
}

limn_status limn_ngram_counts_fill(limn_ngram_counts *c, limn_sentence sentence, limn_error *err)
{
    limn_ngram_table_clear(&c->table);
    c->n_words = sentence.n_words;
    c->begins[0] = 0;
    for (size_t order = 1; order <= LIMN_NGRAM_MAX_ORDER; order++) {
        LIMN_TRY(count_order(c, sentence, order, err));
        c->begins[order] = c->table.n_ngrams;
    }
    return LIMN_OK;
}

uint32_t limn_ngram_counts_of(const limn_ngram_counts *c, const limn_ngram *ngram)
{
    const limn_ngram_entry *entry = limn_ngram_table_find(&c->table, ngram);
    return entry ? entry->count : 0;
}

void limn_ngram_counts_finish(limn_ngram_counts *c)
{
    limn_ngram_table_finish(&c->table);
    *c = (limn_ngram_counts){ 0 };
}

limn_status limn_ngram_counts_list_fill(limn_ngram_counts_list *list,
                                        const limn_sentence *sentences, size_t n_sentences,
                                        limn_error *err)
{
    const size_t n_old = list->capacity;
    if (!limn_grow((void **)&list->items, &list->capacity, n_sentences, sizeof *list->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu sentences", n_sentences);
    for (size_t i = n_old; i < list->capacity; i++) list->items[i] = (limn_ngram_counts){ 0 };
    list->n_items = n_sentences;
    for (size_t i = 0; i < n_sentences; i++)
        LIMN_TRY(limn_ngram_counts_fill(&list->items[i], sentences[i], err));
    return LIMN_OK;
}

void limn_ngram_counts_list_finish(limn_ngram_counts_list *list)
{
    for (size_t i = 0; i < list->capacity; i++) limn_ngram_counts_finish(&list->items[i]);
    limn_free(list->items);
    *list = (limn_ngram_counts_list){ 0 };
}

#include "common/metrics/bleu.h"

#include <math.h>

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

size_t limn_bleu_closer_length(size_t n_words, size_t a, size_t b)
{
    const size_t da = distance(a, n_words), db = distance(b, n_words);
    return db < da || (db == da && b < a) ? b : a;
}

static size_t closest_length(size_t n_words, const limn_ngram_counts *refs, size_t n_refs)
{
    size_t closest = refs[0].n_words;
    for (size_t i = 1; i < n_refs; i++)
        closest = limn_bleu_closer_length(n_words, closest, refs[i].n_words);
    return closest;
}

/* How often an n-gram may count as correct: clipped at its largest count in one reference. */
static uint32_t largest_count(const limn_ngram *ngram, const limn_ngram_counts *refs, size_t n_refs)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < n_refs; i++) {
        const uint32_t count = limn_ngram_counts_of(&refs[i], ngram);
        largest = count > largest ? count : largest;
    }
    return largest;
}

limn_bleu_stats limn_bleu_count(const limn_ngram_counts *hyp, const limn_ngram_counts *refs,
                                size_t n_refs)
{
    limn_bleu_stats stats = { .test_length = (double)hyp->n_words };
    stats.reference_length = (double)closest_length(hyp->n_words, refs, n_refs);
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        stats.guess[n] = hyp->n_words > n ? (double)(hyp->n_words - n) : 0;
        for (size_t i = hyp->begins[n]; i < hyp->begins[n + 1]; i++) {
            const limn_ngram_entry *entry = &hyp->table.entries[i];
            const uint32_t limit = largest_count(&entry->ngram, refs, n_refs);
            stats.correct[n] += entry->count < limit ? entry->count : limit;
        }
    }
    return stats;
}

void limn_bleu_add(limn_bleu_stats *sum, const limn_bleu_stats *stats)
{
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        sum->correct[n] += stats->correct[n];
        sum->guess[n] += stats->guess[n];
    }
    sum->test_length += stats->test_length;
    sum->reference_length += stats->reference_length;
}

void limn_bleu_score(double out[LIMN_NGRAM_MAX_ORDER], const limn_bleu_stats *stats)
{
    const double small = 1e-9, tiny = 1e-15; /* as coco-caption: no division by zero */
    const double ratio = (stats->test_length + tiny) / (stats->reference_length + small);
    const double penalty = ratio < 1 ? exp(1 - 1 / ratio) : 1;
    double product = 1;
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++) {
        product *= (stats->correct[n] + tiny) / (stats->guess[n] + small);
        out[n] = pow(product, 1.0 / (double)(n + 1)) * penalty;
    }
}

/* BLEU-1 … 4 as coco-caption computes it: closest reference length (the shorter on ties), no
 * smoothing but 1e-15 in the counts, cumulative geometric means, brevity penalty. Pure. */
#ifndef LIMN_COMMON_METRICS_BLEU_H
#define LIMN_COMMON_METRICS_BLEU_H

#include <stddef.h>

#include "common/metrics/ngram.h"

/* Counts of one candidate; those of a corpus are their sum. Whole numbers. */
typedef struct limn_bleu_stats {
    double correct[LIMN_NGRAM_MAX_ORDER], guess[LIMN_NGRAM_MAX_ORDER];
    double test_length, reference_length; /* words */
} limn_bleu_stats;

/* Of a row of statistics that is summed over images: the doubles of limn_bleu_stats in order. */
enum { LIMN_BLEU_N_STATS = sizeof(limn_bleu_stats) / sizeof(double) };

/* The one of two references' lengths that is closer to a candidate of n_words; the shorter one on
 * ties. */
size_t limn_bleu_closer_length(size_t n_words, size_t a, size_t b);
/* n_refs >= 1 */
limn_bleu_stats limn_bleu_count(const limn_ngram_counts *hyp, const limn_ngram_counts *refs,
                                size_t n_refs);
void limn_bleu_add(limn_bleu_stats *sum, const limn_bleu_stats *stats);
/* BLEU-1 … 4, in 0 … 1. */
void limn_bleu_score(double out[LIMN_NGRAM_MAX_ORDER], const limn_bleu_stats *stats);

#endif

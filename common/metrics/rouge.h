/* ROUGE-L as coco-caption computes it: precision and recall of the longest common subsequence, each
 * the largest over the references, in an F score with beta = 1.2. */
#ifndef LIMN_COMMON_METRICS_ROUGE_H
#define LIMN_COMMON_METRICS_ROUGE_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/metrics/ngram.h"

/* Scratch memory of one thread. Zero-initialise. */
typedef struct limn_rouge {
    size_t *row; /* [capacity] lengths of common subsequences */
    size_t capacity;
} limn_rouge;

/* *score in 0 … 1. Its sentences come from splitting at single spaces: an empty caption is one
 * empty token, which equals that of an empty reference. n_refs >= 1, no sentence without words.
 * LIMN_E_NOMEM. */
limn_status limn_rouge_l(double *score, limn_rouge *scratch, limn_sentence hyp,
                         const limn_sentence *refs, size_t n_refs, limn_error *err);
void limn_rouge_finish(limn_rouge *scratch);

#endif

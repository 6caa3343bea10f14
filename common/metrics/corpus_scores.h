/* BLEU's counts and CIDEr-D of all images of a corpus: bit for bit limn_bleu_count and
 * limn_cider_score, with document frequencies from the corpus itself, but in less time. */
#ifndef LIMN_COMMON_METRICS_CORPUS_SCORES_H
#define LIMN_COMMON_METRICS_CORPUS_SCORES_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/metrics/bleu.h"
#include "common/metrics/corpus_ngrams.h"

/* Writes bleu [n_images] and cider [n_images]; NULL: not wanted, and not computed. `ngrams` has the
 * sentences of all images: for each its caption, then its n_refs[image] >= 1 references; only its
 * scratch memory changes. LIMN_E_NOMEM. */
limn_status limn_corpus_scores(limn_bleu_stats *bleu, double *cider, limn_corpus_ngrams *ngrams,
                               const size_t *n_refs, size_t n_images, limn_error *err);

#endif

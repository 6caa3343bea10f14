/* Chooses among the possible matches: METEOR 1.5's beam search over the words of the reference,
 * from left to right, with the quirks that decide ties:
 *
 * - the order of preference is: more matched words, then fewer chunks, then a smaller sum of
 *   distances; equal paths keep the order in which they were found;
 * - a match that is not exact counts half its words, rounded down on each side, so that single
 *   words of such a match count nothing;
 * - the distance of a match is added not to the path that takes it but to the one that continues
 *   without it. */
#ifndef LIMN_COMMON_METRICS_METEOR_ALIGN_H
#define LIMN_COMMON_METRICS_METEOR_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/metrics/meteor_match.h"

typedef struct limn_meteor_aligner limn_meteor_aligner; /* scratch memory of one thread */

/* LIMN_E_NOMEM */
limn_status limn_meteor_aligner_create(limn_meteor_aligner **out, limn_error *err);
void limn_meteor_aligner_destroy(limn_meteor_aligner **a); /* accepts NULL; nulls it */

/* Fills chosen[i] with the match that begins at reference word i, or NULL; the matches belong to
 * `m`. n_hyp, n_ref: words of both. LIMN_E_NOMEM. */
limn_status limn_meteor_align(const limn_meteor_match *chosen[LIMN_METEOR_MAX_WORDS],
                              limn_meteor_aligner *a, const limn_meteor_matches *m, size_t n_hyp,
                              size_t n_ref, limn_error *err);

#endif

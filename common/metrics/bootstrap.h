/* Confidence intervals of scores: bootstrap over images (Koehn 2004; Efron & Tibshirani 1993).
 *
 * A metric is a row of statistics for each image and a function from a sum of rows to a score.
 * Each trial draws as many images as there are, with replacement, sums their rows and scores the
 * sum; nothing else about the metric needs to be known. The draws depend on the seed alone. */
#ifndef LIMN_COMMON_METRICS_BOOTSTRAP_H
#define LIMN_COMMON_METRICS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_BOOTSTRAP_MAX_SCORES 8
#define LIMN_BOOTSTRAP_MAX_STATS 64

typedef struct limn_bootstrap {
    const double *stats; /* [n_images, n_stats] */
    const double *other; /* the same for a second system, for comparisons; NULL for intervals */
    size_t n_images, n_stats, n_scores; /* n_stats and n_scores at most as above; all >= 1 */
    /* out [n_scores]; `context` is passed through */
    void (*score)(const void *context, double *out, const double *sum, size_t n_images);
    const void *context;
    size_t n_trials; /* at least 1 */
    uint64_t seed;
} limn_bootstrap;

typedef struct limn_interval {
    double value;     /* over all images: the score, or the first system's minus the second's */
    double low, high; /* 95 % interval: 2.5 and 97.5 percentiles of the trials */
    /* For comparisons: the two-sided probability of a difference this large when there is none. */
    double p;
} limn_interval;

/* out [n_scores]. The score, or with `other` the difference. LIMN_E_ARG for sizes out of
 * bounds, LIMN_E_NOMEM. */
limn_status limn_bootstrap_run(limn_interval *out, const limn_bootstrap *b, limn_error *err);

#endif

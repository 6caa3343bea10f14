#include "common/metrics/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"

static void add_row(double *sum, const double *rows, size_t row, size_t n_stats)
{
    for (size_t i = 0; i < n_stats; i++) sum[i] += rows[row * n_stats + i];
}

/* The score of the drawn images (all of them once when rng is NULL), less the other system's. */
static void score_sample(double *out, const limn_bootstrap *b, limn_rng *rng)
{
    double sum[LIMN_BOOTSTRAP_MAX_STATS] = { 0 }, other[LIMN_BOOTSTRAP_MAX_STATS] = { 0 };
    double other_scores[LIMN_BOOTSTRAP_MAX_SCORES];
    for (size_t i = 0; i < b->n_images; i++) {
        const size_t row = rng ? (size_t)limn_rng_below(rng, b->n_images) : i;
        add_row(sum, b->stats, row, b->n_stats);
        if (b->other) add_row(other, b->other, row, b->n_stats);
    }
    b->score(b->context, out, sum, b->n_images);
    if (!b->other) return;
    b->score(b->context, other_scores, other, b->n_images);
    for (size_t i = 0; i < b->n_scores; i++) out[i] -= other_scores[i];
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between the neighbours in rank; `sorted` [n]. */
static double percentile(const double *sorted, size_t n, double share)
{
    const double rank = share * (double)(n - 1);
    const size_t below = (size_t)rank;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (rank - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* The trials, moved so that the observed value becomes zero, stand for "no difference" (Efron &
 * Tibshirani 1993, ch. 16); the observed one counts among them, so p is never 0. */
static double p_value(const double *trials, size_t n, double value)
{
    size_t n_extreme = 0;
    for (size_t i = 0; i < n; i++) n_extreme += fabs(trials[i] - value) >= fabs(value);
    return (double)(n_extreme + 1) / (double)(n + 1);
}

static limn_status check(const limn_bootstrap *b, limn_error *err)
{
    if (b->n_images == 0 || b->n_trials == 0 || b->n_stats == 0 ||
        b->n_stats > LIMN_BOOTSTRAP_MAX_STATS || b->n_scores == 0 ||
        b->n_scores > LIMN_BOOTSTRAP_MAX_SCORES)
        return limn_fail(err, LIMN_E_ARG,
                         "bootstrap: %zu images, %zu trials, %zu statistics, "
                         "%zu scores",
                         b->n_images, b->n_trials, b->n_stats, b->n_scores);
    return LIMN_OK;
}

limn_status limn_bootstrap_run(limn_interval *out, const limn_bootstrap *b, limn_error *err)
{
    double scores[LIMN_BOOTSTRAP_MAX_SCORES];
    LIMN_TRY(check(b, err));
    size_t n;
    double *trials = NULL; /* [n_scores, n_trials] */
    if (!limn_size_mul(&n, b->n_scores, b->n_trials) || !(trials = limn_alloc(n, sizeof *trials)))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu trials", b->n_trials);
    limn_rng rng = limn_rng_stream(b->seed, "bootstrap", strlen("bootstrap"));
    for (size_t trial = 0; trial < b->n_trials; trial++) {
        score_sample(scores, b, &rng);
        for (size_t k = 0; k < b->n_scores; k++) trials[k * b->n_trials + trial] = scores[k];
    }
    score_sample(scores, b, NULL);
    for (size_t k = 0; k < b->n_scores; k++) {
        double *of_score = trials + k * b->n_trials;
        out[k].value = scores[k];
        out[k].p = p_value(of_score, b->n_trials, scores[k]);
        qsort(of_score, b->n_trials, sizeof *of_score, compare);
        out[k].low = percentile(of_score, b->n_trials, 0.025);
        out[k].high = percentile(of_score, b->n_trials, 0.975);
    }
    limn_free(trials);
    return LIMN_OK;
}

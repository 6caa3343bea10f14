#include <math.h>

#include "common/metrics/meteor.h"

/* Parameters of the rank task for English. */
static const double ALPHA = 0.85, BETA = 0.2, GAMMA = 0.6, DELTA = 0.75;
static const double WEIGHTS[LIMN_METEOR_N_MODULES] = { 1.0, 0.6, 0.8, 0.6 };

static double n_matched(const limn_meteor_side *s)
{
    double n = 0;
    for (size_t i = 0; i < LIMN_METEOR_N_MODULES; i++) n += s->content[i] + s->function[i];
    return n;
}

/* Precision of the caption's side, recall of the reference's: content words weigh DELTA, function
 * words 1 - DELTA. NaN for no words. */
static double weighted_share(const limn_meteor_side *s)
{
    const double length =
        DELTA * (s->n_words - s->n_function_words) + (1.0 - DELTA) * s->n_function_words;
    double matched = 0;
    for (size_t i = 0; i < LIMN_METEOR_N_MODULES; i++)
        matched += s->content[i] * WEIGHTS[i] * DELTA;
    for (size_t i = 0; i < LIMN_METEOR_N_MODULES; i++)
        matched += s->function[i] * WEIGHTS[i] * (1.0 - DELTA);
    return matched / length;
}

static bool is_perfect(const limn_meteor_stats *s)
{
    return n_matched(&s->hyp) == s->hyp.n_words && n_matched(&s->ref) == s->ref.n_words &&
           s->n_chunks == 1.0;
}

double limn_meteor_stats_score(const limn_meteor_stats *s)
{
    const double precision = weighted_share(&s->hyp), recall = weighted_share(&s->ref);
    const double mean = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall);
    const double n_words = (n_matched(&s->hyp) + n_matched(&s->ref)) / 2.0;
    const double fragmentation = is_perfect(s) ? 0.0 : s->n_chunks / n_words;
    const double score = mean * (1.0 - GAMMA * pow(fragmentation, BETA));
    return score > 0.0 ? score : 0.0; /* also for NaN */
}

static void add_side(limn_meteor_side *sum, const limn_meteor_side *s)
{
    sum->n_words += s->n_words;
    sum->n_function_words += s->n_function_words;
    for (size_t i = 0; i < LIMN_METEOR_N_MODULES; i++) {
        sum->content[i] += s->content[i];
        sum->function[i] += s->function[i];
    }
}

/* A perfect match has no fragmentation: its chunk does not count in the corpus either. */
void limn_meteor_stats_add(limn_meteor_stats *sum, const limn_meteor_stats *s)
{
    add_side(&sum->hyp, &s->hyp);
    add_side(&sum->ref, &s->ref);
    if (!is_perfect(s)) sum->n_chunks += s->n_chunks;
}

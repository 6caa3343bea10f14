#include "decoder/virtex_search.h"

#include <math.h>

#include "common/base/ranked.h"

enum { PER_HYPOTHESIS = 2 };
static const float REPEATED = -10000; /* log-probability of repeating the last token */

struct limn_virtex_search {
    limn_virtex_settings settings; /* of the search in progress */
    limn_hypothesis *all, *next;   /* [K], best first */
    uint32_t *rows;                /* [K] of the request, of hypotheses that have not ended */
    limn_candidate *candidates;    /* [K]; `row` is the hypothesis, LIMN_NO_TOKEN: it has ended */
    uint32_t *parents, *tokens;    /* [K] */
    size_t n, n_candidates, n_rows, n_steps;
};

limn_virtex_search *limn_virtex_search_plan(limn_arena *a, const limn_virtex_settings *s)
{
    limn_virtex_search plan = { 0 };
    limn_virtex_search *v = limn_arena_take(a, 1, sizeof *v);
    plan.all = limn_hypotheses_plan(a, s->beam_size, s->max_steps);
    plan.next = limn_hypotheses_plan(a, s->beam_size, s->max_steps);
    plan.rows = limn_arena_take(a, s->beam_size, sizeof *plan.rows);
    plan.candidates = limn_arena_take(a, s->beam_size, sizeof *plan.candidates);
    plan.parents = limn_arena_take(a, s->beam_size, sizeof *plan.parents);
    plan.tokens = limn_arena_take(a, s->beam_size, sizeof *plan.tokens);
    if (!v || a->has_failed) return NULL;
    *v = plan;
    return v;
}

static bool has_more_value(const void *a, const void *b)
{
    return ((const limn_candidate *)a)->value > ((const limn_candidate *)b)->value;
}

/* The best extensions of hypothesis h, at most `max`, among the best of all. */
static void offer(limn_virtex_search *v, const limn_virtex_settings *s, uint32_t h, size_t max,
                  const float *logits)
{
    limn_candidate best[LIMN_BEAM_MAX];
    size_t n = 0;
    const limn_hypothesis *from = &v->all[h];
    const float past = (float)from->value, log_sum = s->log_sum_exp(logits, s->n_tokens);
    for (size_t t = 0; t < s->n_tokens; t++) {
        const bool is_repeated = from->n_tokens > 0 && from->tokens[from->n_tokens - 1] == t;
        const float log_prob = is_repeated ? REPEATED : logits[t] - log_sum;
        const limn_candidate c = { (double)(past + log_prob), log_prob, h, (uint32_t)t };
        if (c.value > (n == max ? best[max - 1].value : (double)-INFINITY))
            limn_ranked_insert(best, &n, max, sizeof c, &c, has_more_value);
    }
    for (size_t i = 0; i < n; i++)
        limn_ranked_insert(v->candidates, &v->n_candidates, s->beam_size, sizeof best[i], &best[i],
                           has_more_value);
}

static void offer_ended(limn_virtex_search *v, const limn_virtex_settings *s, uint32_t h)
{
    const limn_candidate c = { v->all[h].value, 0, h, LIMN_NO_TOKEN };
    limn_ranked_insert(v->candidates, &v->n_candidates, s->beam_size, sizeof c, &c, has_more_value);
}

/* The candidates become the hypotheses. */
static void advance(limn_virtex_search *v, const limn_virtex_settings *s)
{
    for (size_t i = 0; i < v->n_candidates; i++) {
        const limn_candidate *c = &v->candidates[i];
        limn_hypothesis *h = &v->next[i];
        limn_hypothesis_copy(h, &v->all[c->row]);
        if (c->token == LIMN_NO_TOKEN) continue;
        limn_candidate taken = *c;
        taken.row = v->rows[c->row];
        limn_hypothesis_append(h, &taken);
        h->is_finished = c->token == s->end_token;
        h->score = h->value;
    }
    limn_hypothesis *before = v->all;
    v->all = v->next;
    v->next = before;
    v->n = v->n_candidates;
}

/* Those that have not ended become the rows wanted next. */
static void ask_for_open(limn_virtex_search *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        const limn_hypothesis *h = &v->all[i];
        if (h->is_finished) continue;
        v->parents[n] = h->rows[h->n_tokens - 1];
        v->tokens[n] = h->tokens[h->n_tokens - 1];
        v->rows[i] = (uint32_t)n++;
    }
    v->n_rows = n;
}

void limn_virtex_search_begin(limn_virtex_search *v, const limn_virtex_settings *s)
{
    v->settings = *s;
    limn_hypothesis_clear(&v->all[0]);
    v->rows[0] = v->parents[0] = 0;
    v->tokens[0] = s->start_token;
    v->n = v->n_rows = 1;
    v->n_steps = 0;
}

limn_search_rows limn_virtex_search_rows(const limn_virtex_search *v)
{
    return (limn_search_rows){ v->n_rows, v->parents, v->tokens };
}

void limn_virtex_search_take(limn_virtex_search *v, const float *logits)
{
    const limn_virtex_settings *s = &v->settings;
    const size_t max = v->n_steps == 0 ? s->beam_size : PER_HYPOTHESIS;
    v->n_candidates = 0;
    for (uint32_t h = 0; h < v->n; h++)
        if (v->all[h].is_finished)
            offer_ended(v, s, h);
        else
            offer(v, s, h, max, logits + v->rows[h] * s->n_tokens);
    v->n_steps++;
    v->n_rows = 0;
    if (v->n_candidates == 0 && v->n_steps > 1) return;
    advance(v, s);
    if (v->n_steps < s->max_steps) ask_for_open(v);
}

limn_status limn_virtex_search_end(const limn_virtex_search *v, const limn_hypothesis **out,
                                   size_t *n_out, limn_error *err)
{
    if (v->n == 0) return limn_fail(err, LIMN_E_ARG, "the model's logits allow no caption");
    *out = v->all;
    *n_out = v->n < v->settings.n_best ? v->n : v->settings.n_best;
    return LIMN_OK;
}

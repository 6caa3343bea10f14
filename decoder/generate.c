#include "decoder/generate.h"

#include <math.h>
#include <string.h>

#include "common/base/ranked.h"

struct limn_generate {
    limn_generate_settings settings; /* of the search in progress */
    float *logits;                   /* [n_rows, n_tokens], the caller's, of the latest rows */
    float *values;                   /* [n_tokens] what a row's next token is chosen by */
    limn_hypothesis *open, *next;    /* [K], best value first; row i of the request is open[i] */
    limn_hypothesis *finished;       /* [K], best score first */
    limn_candidate *candidates;      /* [2K] */
    uint32_t *parents, *tokens;      /* [K] */
    size_t n_read;                   /* tokens of the prompt that were asked for */
    size_t n_rows, n_open, n_next, n_finished, n_candidates;
};

limn_generate *limn_generate_plan(limn_arena *a, const limn_generate_settings *s)
{
    limn_generate plan = { 0 };
    limn_generate *g = limn_arena_take(a, 1, sizeof *g);
    plan.values = limn_arena_take(a, s->n_tokens, sizeof *plan.values);
    plan.open = limn_hypotheses_plan(a, s->beam_size, s->max_new);
    plan.next = limn_hypotheses_plan(a, s->beam_size, s->max_new);
    plan.finished = limn_hypotheses_plan(a, s->beam_size, s->max_new);
    plan.candidates = limn_arena_take(a, 2 * s->beam_size, sizeof *plan.candidates);
    plan.parents = limn_arena_take(a, s->beam_size, sizeof *plan.parents);
    plan.tokens = limn_arena_take(a, s->beam_size, sizeof *plan.tokens);
    if (!g || a->has_failed) return NULL;
    *g = plan;
    return g;
}

/* ---- what follows a hypothesis -------------------------------------------------------------- */

/* Asks for the next token of the prompt: logits of the last one are those of the first row. */
static void ask_for_prompt(limn_generate *g, const limn_generate_settings *s)
{
    g->parents[0] = 0;
    g->tokens[0] = s->prompt[g->n_read++];
    g->n_rows = 1;
}

static void ask_for_open(limn_generate *g)
{
    for (size_t i = 0; i < g->n_open; i++) {
        const limn_hypothesis *h = &g->open[i];
        g->parents[i] = h->rows[h->n_tokens - 1];
        g->tokens[i] = h->tokens[h->n_tokens - 1];
    }
    g->n_rows = g->n_open;
}

static bool is_among(const uint32_t *tokens, size_t n, uint32_t token)
{
    for (size_t i = 0; i < n; i++)
        if (tokens[i] == token) return true;
    return false;
}

static void penalise(float *values, uint32_t token, float penalty)
{
    values[token] = values[token] < 0 ? values[token] * penalty : values[token] / penalty;
}

/* The logits processors: the repetition penalty, once per distinct token, then the minimum
 * length. */
static void process(const limn_generate_settings *s, const limn_hypothesis *h, float *values)
{
    const float penalty = s->repetition_penalty;
    for (size_t i = 0; penalty != 1 && i < s->n_prompt; i++)
        if (!is_among(s->prompt, i, s->prompt[i])) penalise(values, s->prompt[i], penalty);
    for (size_t i = 0; penalty != 1 && i < h->n_tokens; i++)
        if (!is_among(s->prompt, s->n_prompt, h->tokens[i]) &&
            !is_among(h->tokens, i, h->tokens[i]))
            penalise(values, h->tokens[i], penalty);
    if (h->n_tokens < s->min_new) values[s->end_token] = -INFINITY;
}

static double score_of(const limn_generate_settings *s, double value, size_t n_tokens)
{
    return value / pow((double)n_tokens, (double)s->length_penalty);
}

/* ---- greedy --------------------------------------------------------------------------------- */

/* Adds the token of the largest logit, as the processors leave it; false when there is none. */
static bool append_best(limn_generate *g, const limn_generate_settings *s, limn_hypothesis *h)
{
    const float log_sum = s->log_sum_exp(g->logits, s->n_tokens);
    size_t best = s->n_tokens;
    memcpy(g->values, g->logits, s->n_tokens * sizeof *g->values);
    process(s, h, g->values);
    for (size_t t = 0; t < s->n_tokens; t++)
        if (g->values[t] > (best < s->n_tokens ? g->values[best] : -INFINITY)) best = t;
    if (best == s->n_tokens) return false;
    const float logprob = g->logits[best] - log_sum;
    const limn_candidate c = { h->value + (double)logprob, logprob, 0, (uint32_t)best };
    limn_hypothesis_append(h, &c);
    h->is_finished = best == s->end_token;
    return true;
}

/* A step; false: the search is over. */
static bool step_greedily(limn_generate *g, const limn_generate_settings *s)
{
    limn_hypothesis *h = &g->open[0];
    if (append_best(g, s, h) && !h->is_finished && h->n_tokens < s->max_new) return true;
    if (h->n_tokens == 0) return false;
    h->score = score_of(s, h->value, h->n_tokens);
    limn_hypothesis_copy(&g->finished[g->n_finished++], h);
    return false;
}

/* ---- beam search ---------------------------------------------------------------------------- */

static bool has_more_value(const void *a, const void *b)
{
    return ((const limn_candidate *)a)->value > ((const limn_candidate *)b)->value;
}

/* The extensions of a row, among the 2K best of all. Sums are in 32-bit floats, as in
 * transformers. */
static void offer_row(limn_generate *g, const limn_generate_settings *s, size_t row)
{
    const size_t max = 2 * s->beam_size;
    const float past = (float)g->open[row].value;
    float *log_probs = g->logits + row * s->n_tokens;
    const float log_sum = s->log_sum_exp(log_probs, s->n_tokens);
    for (size_t t = 0; t < s->n_tokens; t++) log_probs[t] -= log_sum;
    memcpy(g->values, log_probs, s->n_tokens * sizeof *g->values);
    process(s, &g->open[row], g->values);
    for (size_t t = 0; t < s->n_tokens; t++) {
        const double value = (double)(past + g->values[t]);
        const double worst =
            g->n_candidates == max ? g->candidates[max - 1].value : (double)-INFINITY;
        const limn_candidate c = { value, log_probs[t], (uint32_t)row, (uint32_t)t };
        if (value > worst)
            limn_ranked_insert(g->candidates, &g->n_candidates, max, sizeof c, &c, has_more_value);
    }
}

/* A finished hypothesis, among the K best. */
static void finish(limn_generate *g, const limn_generate_settings *s, const limn_candidate *c)
{
    const limn_hypothesis *from = &g->open[c->row];
    const double score = score_of(s, c->value, from->n_tokens + 1);
    const size_t worst = s->beam_size - 1;
    if (g->n_finished == s->beam_size && !(score > g->finished[worst].score)) return;
    size_t at = g->n_finished < s->beam_size ? g->n_finished++ : worst;
    limn_hypothesis memory = g->finished[at];
    for (; at > 0 && score > g->finished[at - 1].score; at--) g->finished[at] = g->finished[at - 1];
    limn_hypothesis_copy(&memory, from);
    limn_hypothesis_append(&memory, c);
    memory.is_finished = c->token == s->end_token;
    memory.score = score;
    g->finished[at] = memory;
}

/* Those that end count only where they rank among the first K. */
static void sort_out(limn_generate *g, const limn_generate_settings *s)
{
    g->n_next = 0;
    for (size_t i = 0; i < g->n_candidates; i++) {
        const limn_candidate *c = &g->candidates[i];
        const limn_hypothesis *from = &g->open[c->row];
        const bool is_last = c->token == s->end_token || from->n_tokens + 1 == s->max_new;
        if (is_last && i < s->beam_size) finish(g, s, c);
        if (is_last || g->n_next == s->beam_size) continue;
        limn_hypothesis *h = &g->next[g->n_next++];
        limn_hypothesis_copy(h, from);
        limn_hypothesis_append(h, c);
    }
    limn_hypothesis *before = g->open;
    g->open = g->next;
    g->next = before;
    g->n_open = g->n_next;
}

/* Whether the best open hypothesis, ending now, would be among the best. */
static bool can_improve(const limn_generate *g, const limn_generate_settings *s)
{
    if (g->n_open == 0) return false;
    if (g->n_finished < s->beam_size) return true;
    return score_of(s, g->open[0].value, g->open[0].n_tokens) > g->finished[s->beam_size - 1].score;
}

/* A step; false: the search is over. */
static bool step_by_beam(limn_generate *g, const limn_generate_settings *s)
{
    g->n_candidates = 0;
    for (size_t row = 0; row < g->n_open; row++) offer_row(g, s, row);
    sort_out(g, s);
    return can_improve(g, s);
}

/* ---- search --------------------------------------------------------------------------------- */

void limn_generate_begin(limn_generate *g, const limn_generate_settings *s)
{
    g->settings = *s;
    limn_hypothesis_clear(&g->open[0]);
    g->n_open = 1;
    g->n_finished = g->n_read = 0;
    ask_for_prompt(g, s);
}

limn_search_rows limn_generate_rows(const limn_generate *g)
{
    return (limn_search_rows){ g->n_rows, g->parents, g->tokens };
}

void limn_generate_take(limn_generate *g, float *logits)
{
    const limn_generate_settings *s = &g->settings;
    g->logits = logits;
    if (g->n_read < s->n_prompt)
        ask_for_prompt(g, s);
    else if (s->beam_size == 1 ? step_greedily(g, s) : step_by_beam(g, s))
        ask_for_open(g);
    else
        g->n_rows = 0;
}

limn_status limn_generate_end(const limn_generate *g, const limn_hypothesis **out, size_t *n_out,
                              limn_error *err)
{
    const size_t n_best = g->settings.n_best;
    if (g->n_finished == 0)
        return limn_fail(err, LIMN_E_ARG, "the model's logits allow no caption");
    *out = g->finished;
    *n_out = g->n_finished < n_best ? g->n_finished : n_best;
    return LIMN_OK;
}

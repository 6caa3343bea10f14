#include "decoder/sample_search.h"

#include <math.h>
#include <string.h>

#include "common/base/ranked.h"
#include "decoder/sample_search_scratch.h"

limn_sample_search *limn_sample_plan(limn_arena *a, const limn_sample_settings *s)
{
    const size_t n = s->n_samples;
    limn_sample_search plan = { .plan = *s };
    limn_sample_search *d = limn_arena_take(a, 1, sizeof *d);
    plan.probabilities = limn_arena_take(a, s->n_tokens, sizeof *plan.probabilities);
    plan.items = limn_arena_take(a, s->n_tokens, sizeof *plan.items);
    plan.open = limn_hypotheses_plan(a, n, s->max_steps);
    plan.next = limn_hypotheses_plan(a, n, s->max_steps);
    plan.finished = limn_hypotheses_plan(a, n, s->max_steps);
    plan.parents = limn_arena_take(a, n, sizeof *plan.parents);
    plan.tokens = limn_arena_take(a, n, sizeof *plan.tokens);
    plan.samples = limn_arena_take(a, n, sizeof *plan.samples);
    plan.leaves = limn_arena_take(a, n, sizeof *plan.leaves);
    plan.chosen = limn_arena_take(a, n, sizeof *plan.chosen);
    plan.children = limn_arena_take(a, n, sizeof *plan.children);
    if (!d || a->has_failed) return NULL;
    *d = plan;
    return d;
}

/* ---- shared by both methods ----------------------------------------------------------------- */

double limn_sample_distribution(limn_sample_search *d, const limn_sample_settings *s,
                                const limn_hypothesis *h, size_t row)
{
    const limn_token_bounds bounds = { &s->constraints, s->n_tokens, s->max_steps, s->end_token };
    memcpy(d->probabilities, d->log_probs + row * s->n_tokens,
           s->n_tokens * sizeof *d->probabilities);
    limn_token_values_apply(&s->values, &bounds, h, d->probabilities);
    return limn_sampling_apply(&s->sampling, s->softmax, d->items, d->probabilities, s->n_tokens);
}

void limn_sample_extend(const limn_sample_search *d, const limn_sample_settings *s,
                        limn_hypothesis *to, const limn_hypothesis *from, size_t row,
                        uint32_t token)
{
    const float log_prob = d->log_probs[row * s->n_tokens + token];
    const limn_candidate c = { from->value + (double)log_prob, log_prob, (uint32_t)row, token };
    limn_hypothesis_copy(to, from);
    limn_hypothesis_append(to, &c);
    to->n_drawn = 1;
    to->is_finished = token == s->end_token;
}

bool limn_sample_complete(const limn_sample_settings *s, limn_hypothesis *h)
{
    if (!h->is_finished && h->n_tokens < s->max_steps) return false;
    h->score = limn_score(&s->scoring, h->logprob, h->n_tokens, h->rows[h->n_tokens - 1]);
    return true;
}

void limn_sample_swap_open(limn_sample_search *d)
{
    limn_hypothesis *open = d->open;
    d->open = d->next;
    d->next = open;
}

/* ---- independent samples ------------------------------------------------------------------ */

/* The hypothesis among list[first … n - 1] that came by this token from row `row`, or NULL. */
static limn_hypothesis *find_same(limn_hypothesis *list, size_t first, size_t n, size_t row,
                                  uint32_t token)
{
    for (size_t i = first; i < n; i++) {
        const size_t last = list[i].n_tokens - 1;
        if (list[i].rows[last] == row && list[i].tokens[last] == token) return &list[i];
    }
    return NULL;
}

/* open[row] was continued by `token`. Those that are equal are one hypothesis, drawn more than
 * once. Returns its row in the next step; SIZE_MAX when it is complete. */
static size_t take_draw(limn_sample_search *d, const limn_sample_settings *s, size_t first_finished,
                        size_t *n_next, size_t row, uint32_t token)
{
    limn_hypothesis *same = find_same(d->finished, first_finished, d->n_finished, row, token);
    if (!same) same = find_same(d->next, 0, *n_next, row, token);
    if (same) {
        same->n_drawn++;
        return same->is_finished || same->n_tokens == s->max_steps ? SIZE_MAX
                                                                   : (size_t)(same - d->next);
    }
    limn_hypothesis *h = &d->next[*n_next];
    limn_sample_extend(d, s, h, &d->open[row], row, token);
    if (limn_sample_complete(s, h)) {
        limn_hypothesis_copy(&d->finished[d->n_finished++], h);
        return SIZE_MAX;
    }
    d->parents[*n_next] = (uint32_t)row;
    d->tokens[*n_next] = token;
    return (*n_next)++;
}

/* Draws a token for every sample that is open; returns the rows of the next step. */
static size_t draw_step(limn_sample_search *d, const limn_sample_settings *s)
{
    const size_t first_finished = d->n_finished, n_samples = d->n_open_samples;
    size_t n_next = 0, row = SIZE_MAX;
    double sum = 0;
    d->n_open_samples = 0;
    for (size_t i = 0; i < n_samples; i++) {
        sample at = d->samples[i];
        if (at.row != row) sum = limn_sample_distribution(d, s, &d->open[at.row], at.row);
        row = at.row;
        if (!(sum > 0)) continue; /* nothing may follow */
        const uint32_t token =
            limn_sampling_draw(d->probabilities, s->n_tokens, sum, limn_rng_uniform(&at.rng));
        at.row = take_draw(d, s, first_finished, &n_next, row, token);
        if (at.row != SIZE_MAX) d->samples[d->n_open_samples++] = at;
    }
    return n_next;
}

/* Samples of one row stand together, so that each row's distribution is made once. */
static void sort_samples(limn_sample_search *d)
{
    for (size_t i = 1; i < d->n_open_samples; i++) {
        const sample at = d->samples[i];
        size_t to = i;
        for (; to > 0 && at.row < d->samples[to - 1].row; to--) d->samples[to] = d->samples[to - 1];
        d->samples[to] = at;
    }
}

static void begin_independent(limn_sample_search *d, const limn_sample_settings *s)
{
    d->n_open_samples = s->n_samples;
    for (size_t i = 0; i < s->n_samples; i++) {
        const unsigned char number[] = { (unsigned char)i, (unsigned char)(i >> 8) };
        d->samples[i] = (sample){ limn_rng_stream(d->image.key, number, sizeof number), 0 };
    }
}

static size_t step_independent(limn_sample_search *d, const limn_sample_settings *s)
{
    const size_t n_rows = draw_step(d, s);
    sort_samples(d);
    limn_sample_swap_open(d);
    return n_rows;
}

/* ---- all ---------------------------------------------------------------------------------- */

static limn_status check(const limn_sample_search *d, const limn_sample_settings *s,
                         limn_error *err)
{
    if (s->n_samples < 1 || s->n_samples > d->plan.n_samples)
        return limn_fail(err, LIMN_E_ARG, "%zu samples are not in 1 … %zu", s->n_samples,
                         d->plan.n_samples);
    if (s->max_steps < 1 || s->max_steps > d->plan.max_steps)
        return limn_fail(err, LIMN_E_ARG, "%zu steps are not in 1 … %zu", s->max_steps,
                         d->plan.max_steps);
    if (s->n_tokens > d->plan.n_tokens || s->end_token >= s->n_tokens)
        return limn_fail(err, LIMN_E_ARG, "%zu tokens are more than %zu, or lack end token %u",
                         s->n_tokens, d->plan.n_tokens, s->end_token);
    if (!(s->sampling.temperature >= 0) || !isfinite(s->sampling.temperature))
        return limn_fail(err, LIMN_E_ARG, "temperature %g is not 0 or more",
                         (double)s->sampling.temperature);
    return limn_constraints_check(&s->constraints, s->n_tokens, s->max_steps, err);
}

limn_status limn_sample_begin(limn_sample_search *d, const limn_sample_settings *s, uint64_t seed,
                              const char *name, size_t name_size, limn_error *err)
{
    LIMN_TRY(check(d, s, err));
    d->settings = *s;
    d->image = limn_rng_stream(seed, name, name_size);
    d->n_rows = d->n_open = 1;
    d->n_finished = 0;
    limn_hypothesis_clear(&d->open[0]);
    d->parents[0] = 0;
    d->tokens[0] = s->start_token;
    if (s->is_distinct)
        limn_sample_begin_distinct(d, s);
    else
        begin_independent(d, s);
    return LIMN_OK;
}

limn_search_rows limn_sample_rows(const limn_sample_search *d)
{
    return (limn_search_rows){ d->n_rows, d->parents, d->tokens };
}

void limn_sample_take(limn_sample_search *d, const float *log_probs)
{
    const limn_sample_settings *s = &d->settings;
    d->log_probs = log_probs;
    d->n_rows = s->is_distinct ? limn_sample_step_distinct(d, s) : step_independent(d, s);
}

limn_status limn_sample_end(limn_sample_search *d, const limn_hypothesis **out, size_t *n_out,
                            limn_error *err)
{
    const bool is_distinct = d->settings.is_distinct;
    limn_hypothesis *found = is_distinct ? d->open : d->finished;
    *n_out = is_distinct ? d->n_open : d->n_finished;
    *out = found;
    limn_ranked_sort(found, *n_out, sizeof(limn_hypothesis), limn_hypothesis_is_better);
    if (*n_out == 0)
        return limn_fail(err, LIMN_E_ARG,
                         "no caption can meet the constraints: everything that "
                         "could follow is banned");
    return LIMN_OK;
}

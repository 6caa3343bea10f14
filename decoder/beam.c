#include "decoder/beam.h"

#include <math.h>
#include <string.h>

#include "common/base/ranked.h"

/* Open hypotheses that compete with each other: those of a state of a group. */
typedef struct bank {
    size_t begin, n; /* open[begin] … open[begin + n - 1], best value first */
} bank;

/* The best extensions into a bank. */
typedef struct candidate_list {
    limn_candidate *items; /* [2 * width], best first */
    size_t n;
} candidate_list;

typedef struct group {
    limn_hypothesis *finished; /* [n_finished of max_finished], best score of the search first */
    double *ranks;             /* [max_finished] scores to rank by, lowered by diversity */
    size_t n_finished;
} group;

struct limn_beam {
    limn_beam_settings plan, settings; /* the largest, and those of the search in progress */
    float *log_probs;                  /* [n_open, n_tokens], the caller's, of the latest rows */
    float *own_values;                 /* [max_rows, n_tokens]; NULL where values are log_probs */
    float *values;                     /* [n_open, n_tokens]: own_values or log_probs */
    limn_hypothesis *open, *next; /* [max_rows], before and after a step; row i of the request is
                                   * open[i] */
    bank *banks, *next_banks;     /* [n_groups, n_states] */
    candidate_list *candidates;   /* [n_states] of the group whose turn it is */
    group *groups;                /* [n_groups] */
    uint32_t *parents, *tokens;   /* [max_rows], of the rows wanted next */
    uint32_t *taken;              /* [max_rows] tokens chosen by earlier groups in this step */
    float *before_taken;          /* [max_rows] their values without the diversity penalty */
    limn_hypothesis *best;        /* [n_best] of several groups */
    size_t n_open, n_next, n_taken, n_steps;
};

/* ---- sizes --------------------------------------------------------------------------------- */

static size_t n_groups_of(const limn_beam_settings *s)
{
    return s->n_groups > 0 ? s->n_groups : 1;
}

static size_t n_states_of(const limn_beam_settings *s)
{
    return s->required ? limn_required_words_n_states(s->required) : 1;
}

/* Hypotheses of a bank. */
static size_t width_of(const limn_beam_settings *s)
{
    return s->beam_size / n_groups_of(s);
}

/* Hypotheses of a group that may finish. */
static size_t max_finished_of(const limn_beam_settings *s)
{
    const double patience = s->patience > 0 ? (double)s->patience : 1;
    const double n = floor((double)width_of(s) * patience + 0.5);
    return n < 1 ? 1 : (size_t)n;
}

size_t limn_beam_max_rows(const limn_beam_settings *s)
{
    return s->beam_size * n_states_of(s);
}

size_t limn_beam_max_finished(const limn_beam_settings *s)
{
    return max_finished_of(s) * n_groups_of(s);
}

static bool has_own_values(const limn_beam_settings *s)
{
    return !limn_token_values_are_plain(&s->values) || n_groups_of(s) > 1;
}

/* ---- planning ------------------------------------------------------------------------------ */

static void plan_groups(limn_beam *plan, limn_arena *a, const limn_beam_settings *s)
{
    const size_t n_groups = n_groups_of(s), n = max_finished_of(s);
    plan->groups = limn_arena_take(a, n_groups, sizeof *plan->groups);
    for (size_t g = 0; g < n_groups; g++) {
        limn_hypothesis *finished = limn_hypotheses_plan(a, n, s->max_steps);
        double *ranks = limn_arena_take(a, n, sizeof *ranks);
        if (plan->groups) plan->groups[g] = (group){ finished, ranks, 0 };
    }
    plan->best = limn_arena_take(a, n_groups > 1 ? s->n_best : 0, sizeof *plan->best);
}

static void plan_candidates(limn_beam *plan, limn_arena *a, const limn_beam_settings *s)
{
    plan->candidates = limn_arena_take(a, n_states_of(s), sizeof *plan->candidates);
    for (size_t i = 0; i < n_states_of(s); i++) {
        limn_candidate *items = limn_arena_take(a, 2 * width_of(s), sizeof *items);
        if (plan->candidates) plan->candidates[i] = (candidate_list){ items, 0 };
    }
}

limn_beam *limn_beam_plan(limn_arena *a, const limn_beam_settings *s)
{
    const size_t max_rows = limn_beam_max_rows(s), n_banks = n_groups_of(s) * n_states_of(s);
    limn_beam plan = { .plan = *s };
    limn_beam *b = limn_arena_take(a, 1, sizeof *b);
    if (has_own_values(s))
        plan.own_values = limn_arena_take(a, max_rows * s->n_tokens, sizeof *plan.own_values);
    plan.open = limn_hypotheses_plan(a, max_rows, s->max_steps);
    plan.next = limn_hypotheses_plan(a, max_rows, s->max_steps);
    plan.banks = limn_arena_take(a, n_banks, sizeof *plan.banks);
    plan.next_banks = limn_arena_take(a, n_banks, sizeof *plan.next_banks);
    plan_candidates(&plan, a, s);
    plan_groups(&plan, a, s);
    plan.parents = limn_arena_take(a, max_rows, sizeof *plan.parents);
    plan.tokens = limn_arena_take(a, max_rows, sizeof *plan.tokens);
    plan.taken = limn_arena_take(a, max_rows, sizeof *plan.taken);
    plan.before_taken = limn_arena_take(a, max_rows, sizeof *plan.before_taken);
    if (!b || a->has_failed) return NULL;
    *b = plan;
    return b;
}

/* ---- values -------------------------------------------------------------------------------- */

/* Computes the value of every token after every open hypothesis. */
static void prepare_values(limn_beam *b, const limn_beam_settings *s)
{
    const limn_token_bounds bounds = { &s->constraints, s->n_tokens, s->max_steps, s->end_token };
    b->values = b->own_values ? b->own_values : b->log_probs;
    if (b->own_values) memcpy(b->values, b->log_probs, b->n_open * s->n_tokens * sizeof *b->values);
    for (size_t row = 0; row < b->n_open; row++) {
        float *values = b->values + row * s->n_tokens;
        limn_token_values_apply(&s->values, &bounds, &b->open[row], values);
        if (s->required && !limn_required_words_accepts(s->required, b->open[row].state))
            values[s->end_token] = -INFINITY;
    }
}

static size_t times_taken(const limn_beam *b, uint32_t token)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_taken; i++) n += b->taken[i] == token;
    return n;
}

/* Subtracts the diversity penalty for earlier groups' tokens from the values of a row. */
static void charge_row(limn_beam *b, const limn_beam_settings *s, float *values)
{
    for (size_t i = 0; i < b->n_taken; i++) b->before_taken[i] = values[b->taken[i]];
    for (size_t i = 0; i < b->n_taken; i++)
        values[b->taken[i]] =
            b->before_taken[i] - s->diversity * (float)times_taken(b, b->taken[i]);
}

/* Undoes charge_row: groups share the row of the first step, so values must be restored. */
static void refund_row(limn_beam *b, float *values)
{
    for (size_t i = 0; i < b->n_taken; i++) values[b->taken[i]] = b->before_taken[i];
}

/* ---- candidates ---------------------------------------------------------------------------- */

static double worst_of(const candidate_list *list, size_t max)
{
    return list->n == max ? list->items[max - 1].value : (double)-INFINITY;
}

static bool has_more_value(const void *a, const void *b)
{
    return ((const limn_candidate *)a)->value > ((const limn_candidate *)b)->value;
}

/* Keeps the best `max`. Rows and tokens come in increasing order, so ties keep the earlier one
 * first. */
static void offer(candidate_list *list, size_t max, limn_candidate c)
{
    limn_ranked_insert(list->items, &list->n, max, sizeof c, &c, has_more_value);
}

enum { TOKENS_AT_A_TIME = 64 };

/* The largest value, in lanes, which compilers turn into vectors. */
static float largest(const float *values, size_t n)
{
    enum { N_LANES = 8 };
    float lanes[N_LANES];
    size_t i = 0;
    for (size_t k = 0; k < N_LANES; k++) lanes[k] = -INFINITY;
    for (; i + N_LANES <= n; i += N_LANES)
        for (size_t k = 0; k < N_LANES; k++)
            lanes[k] = values[i + k] > lanes[k] ? values[i + k] : lanes[k];
    for (; i < n; i++) lanes[0] = values[i] > lanes[0] ? values[i] : lanes[0];
    for (size_t k = 1; k < N_LANES; k++) lanes[0] = lanes[k] > lanes[0] ? lanes[k] : lanes[0];
    return lanes[0];
}

/* Most tokens are far too improbable: their values are looked at together first. */
static void offer_row(limn_beam *b, const limn_beam_settings *s, size_t row)
{
    const float *values = b->values + row * s->n_tokens;
    const float *log_probs = b->log_probs + row * s->n_tokens;
    const double past = b->open[row].value;
    const size_t max = 2 * width_of(s);
    candidate_list *list = &b->candidates[0];
    for (size_t first = 0; first < s->n_tokens; first += TOKENS_AT_A_TIME) {
        const size_t n_left = s->n_tokens - first;
        const size_t n = n_left < TOKENS_AT_A_TIME ? n_left : TOKENS_AT_A_TIME;
        if (!(past + (double)largest(values + first, n) > worst_of(list, max))) continue;
        for (size_t t = first; t < first + n; t++) {
            const double value = past + (double)values[t];
            if (value > worst_of(list, max))
                offer(list, max,
                      (limn_candidate){ value, log_probs[t], (uint32_t)row, (uint32_t)t });
        }
    }
}

/* The same where a token leads to a state with a list of its own. */
static void offer_row_to_states(limn_beam *b, const limn_beam_settings *s, size_t row)
{
    const float *values = b->values + row * s->n_tokens;
    const float *log_probs = b->log_probs + row * s->n_tokens;
    const uint16_t *next = limn_required_words_next(s->required, b->open[row].state);
    const double past = b->open[row].value;
    const size_t max = 2 * width_of(s);
    for (size_t t = 0; t < s->n_tokens; t++) {
        candidate_list *list = &b->candidates[next[t]];
        const double value = past + (double)values[t];
        if (value > worst_of(list, max))
            offer(list, max, (limn_candidate){ value, log_probs[t], (uint32_t)row, (uint32_t)t });
    }
}

static void offer_bank(limn_beam *b, const limn_beam_settings *s, const bank *from)
{
    for (size_t row = from->begin; row < from->begin + from->n; row++) {
        float *values = b->values + row * s->n_tokens;
        if (b->n_taken > 0) charge_row(b, s, values);
        if (s->required)
            offer_row_to_states(b, s, row);
        else
            offer_row(b, s, row);
        if (b->n_taken > 0) refund_row(b, values);
    }
}

/* The 2K best extensions of a group's hypotheses into each state. */
static void collect_candidates(limn_beam *b, const limn_beam_settings *s, size_t g)
{
    const size_t n_states = n_states_of(s);
    for (size_t i = 0; i < n_states; i++) b->candidates[i].n = 0;
    for (size_t i = 0; i < n_states; i++) offer_bank(b, s, &b->banks[g * n_states + i]);
}

/* ---- hypotheses ---------------------------------------------------------------------------- */

static limn_scoring scoring_of(const limn_beam_settings *s)
{
    return (limn_scoring){ .length_penalty = s->length_penalty,
                           .length_reward = s->length_reward,
                           .coverage = s->coverage,
                           .coverage_of = s->coverage_of,
                           .coverage_ctx = s->coverage_ctx };
}

/* A slot among the best finished ones of a group, whose old content may be overwritten; NULL when
 * the rank is not good enough. */
static limn_hypothesis *finished_place(group *g, size_t max, double rank)
{
    if (g->n_finished == max && !(rank > g->ranks[max - 1])) return NULL;
    size_t at = g->n_finished < max ? g->n_finished++ : max - 1;
    const limn_hypothesis freed = g->finished[at];
    for (; at > 0 && rank > g->ranks[at - 1]; at--) {
        g->finished[at] = g->finished[at - 1];
        g->ranks[at] = g->ranks[at - 1];
    }
    g->finished[at] = freed;
    g->ranks[at] = rank;
    return &g->finished[at];
}

/* Where a hypothesis of that value and length is among the finished ones, with the score of its
 * base; its tokens are still to come. */
static limn_hypothesis *place_by_score(group *g, const limn_beam_settings *s, double value,
                                       double base, size_t length, size_t row)
{
    const limn_scoring scoring = scoring_of(s);
    const double rank = limn_score(&scoring, value, length, row);
    limn_hypothesis *h = finished_place(g, max_finished_of(s), rank);
    if (h) h->score = base != value ? limn_score(&scoring, base, length, row) : rank;
    return h;
}

/* The base of a hypothesis after one more token; rows have no costs any more. */
static double base_of(const limn_beam *b, const limn_beam_settings *s, const limn_candidate *c)
{
    return b->open[c->row].base + (double)b->values[c->row * s->n_tokens + c->token];
}

static void finish(limn_beam *b, const limn_beam_settings *s, size_t g, const limn_candidate *c)
{
    const limn_hypothesis *parent = &b->open[c->row];
    const double base = base_of(b, s, c);
    limn_hypothesis *h =
        place_by_score(&b->groups[g], s, c->value, base, parent->n_tokens + 1, c->row);
    if (!h) return;
    const double score = h->score;
    limn_hypothesis_copy(h, parent);
    limn_hypothesis_append(h, c);
    h->score = score;
    h->base = base;
    h->is_finished = true;
}

static void keep_open(limn_beam *b, const limn_beam_settings *s, const limn_candidate *c,
                      size_t state)
{
    const size_t n = b->n_next++;
    limn_hypothesis_copy(&b->next[n], &b->open[c->row]);
    limn_hypothesis_append(&b->next[n], c);
    b->next[n].state = state;
    b->next[n].base = base_of(b, s, c);
    b->parents[n] = c->row;
    b->tokens[n] = c->token;
}

/* Walks the candidates from the best: those that end are finished, until there are K open ones. */
static void take_candidates(limn_beam *b, const limn_beam_settings *s, size_t g, size_t state)
{
    const candidate_list *list = &b->candidates[state];
    const size_t begin = b->n_next, width = width_of(s);
    for (size_t i = 0; i < list->n && b->n_next - begin < width; i++) {
        if (list->items[i].token == s->end_token)
            finish(b, s, g, &list->items[i]);
        else
            keep_open(b, s, &list->items[i], state);
    }
    b->next_banks[g * n_states_of(s) + state] = (bank){ begin, b->n_next - begin };
}

static void swap_open(limn_beam *b)
{
    limn_hypothesis *open = b->open;
    bank *banks = b->banks;
    b->open = b->next;
    b->next = open;
    b->n_open = b->n_next;
    b->banks = b->next_banks;
    b->next_banks = banks;
}

/* One step of all groups in turn. */
static void advance(limn_beam *b, const limn_beam_settings *s)
{
    prepare_values(b, s);
    b->n_next = b->n_taken = 0;
    for (size_t g = 0; g < n_groups_of(s); g++) {
        collect_candidates(b, s, g);
        for (size_t state = 0; state < n_states_of(s); state++) take_candidates(b, s, g, state);
        if (s->diversity > 0 && g + 1 < n_groups_of(s)) {
            memcpy(b->taken, b->tokens, b->n_next * sizeof *b->taken);
            b->n_taken = b->n_next;
        }
    }
    swap_open(b);
}

/* How many hypotheses of a bank can still come among the n best of their group. Applies once K have
 * finished; until then, open ones may still count without an end. */
static size_t count_hopeful(const limn_beam *b, const limn_beam_settings *s, size_t g,
                            const bank *of)
{
    const size_t max = max_finished_of(s), n_best = s->n_best < max ? s->n_best : max;
    const size_t longest = limn_constraints_max_tokens(&s->constraints, s->max_steps) + 1;
    const limn_scoring scoring = scoring_of(s);
    size_t n = of->n;
    if (b->groups[g].n_finished < max) return n;
    const double worst = b->groups[g].ranks[n_best - 1];
    while (n > 0) {
        const limn_hypothesis *last = &b->open[of->begin + n - 1];
        if (limn_score_bound(&scoring, last->value, last->n_tokens, longest) > worst) return n;
        n--;
    }
    return n;
}

/* Moves row `from` to the free row `to`. */
static void move_row(limn_beam *b, size_t to, size_t from)
{
    const limn_hypothesis freed = b->open[to];
    if (to == from) return;
    b->open[to] = b->open[from];
    b->open[from] = freed;
    b->parents[to] = b->parents[from];
    b->tokens[to] = b->tokens[from];
}

static void drop_hopeless(limn_beam *b, const limn_beam_settings *s)
{
    const size_t n_banks = n_groups_of(s) * n_states_of(s);
    size_t n_open = 0;
    for (size_t i = 0; i < n_banks; i++) {
        bank *of = &b->banks[i];
        const size_t begin = n_open, n = count_hopeful(b, s, i / n_states_of(s), of);
        for (size_t k = 0; k < n; k++) move_row(b, n_open++, of->begin + k);
        *of = (bank){ begin, n };
    }
    b->n_open = n_open;
}

/* Hypotheses that have not ended count where too few of their group have. */
static void add_unfinished(limn_beam *b, const limn_beam_settings *s, size_t g)
{
    const size_t n_states = n_states_of(s);
    for (size_t state = 0; state < n_states; state++) {
        const bank *of = &b->banks[g * n_states + state];
        if (s->required && !limn_required_words_accepts(s->required, state)) continue;
        for (size_t i = of->begin; i < of->begin + of->n; i++) {
            const limn_hypothesis *open = &b->open[i];
            limn_hypothesis *h = place_by_score(&b->groups[g], s, open->value, open->base,
                                                s->max_steps, open->rows[open->n_tokens - 1]);
            if (!h) break;
            const double score = h->score;
            limn_hypothesis_copy(h, open);
            h->score = score;
        }
    }
}

/* ---- the best ------------------------------------------------------------------------------ */

static bool is_among_best(const limn_beam *b, size_t n, const limn_hypothesis *h)
{
    for (size_t i = 0; i < n; i++)
        if (limn_hypothesis_same_tokens(&b->best[i], h)) return true;
    return false;
}

/* Puts best[n] among the n before it, by score. */
static void sort_in(limn_beam *b, size_t n)
{
    const limn_hypothesis h = b->best[n];
    limn_ranked_insert(b->best, &n, n + 1, sizeof h, &h, limn_hypothesis_is_better);
}

/* The best of each group, then the second of each …, without repetition; returns how many. */
static size_t merge_groups(limn_beam *b, const limn_beam_settings *s)
{
    size_t n = 0;
    for (size_t rank = 0; rank < max_finished_of(s); rank++)
        for (size_t g = 0; g < n_groups_of(s) && n < s->n_best; g++) {
            if (rank >= b->groups[g].n_finished ||
                is_among_best(b, n, &b->groups[g].finished[rank]))
                continue;
            b->best[n] = b->groups[g].finished[rank];
            sort_in(b, n++);
        }
    return n;
}

static limn_status take_best(limn_beam *b, const limn_beam_settings *s, const limn_hypothesis **out,
                             size_t *n_out, limn_error *err)
{
    if (n_groups_of(s) > 1) {
        *out = b->best;
        *n_out = merge_groups(b, s);
    } else {
        const size_t n = b->groups[0].n_finished;
        *out = b->groups[0].finished;
        *n_out = n < s->n_best ? n : s->n_best;
    }
    if (*n_out > 0) return LIMN_OK;
    if (s->required)
        return limn_fail(err, LIMN_E_ARG,
                         "no caption can meet the constraints: none that has the "
                         "required words is left");
    return limn_fail(err, LIMN_E_ARG,
                     "no caption can meet the constraints: everything that "
                     "could follow is banned");
}

/* ---- search -------------------------------------------------------------------------------- */

static limn_status check_sizes(const limn_beam *b, const limn_beam_settings *s, limn_error *err)
{
    const limn_beam_settings *plan = &b->plan;
    if (s->beam_size < 1 || s->beam_size > plan->beam_size)
        return limn_fail(err, LIMN_E_ARG, "beam size %zu is not in 1 … %zu", s->beam_size,
                         plan->beam_size);
    if (s->beam_size % n_groups_of(s))
        return limn_fail(err, LIMN_E_ARG, "%zu groups don't divide a beam of %zu", s->n_groups,
                         s->beam_size);
    if (s->n_best < 1 || s->n_best > limn_beam_max_finished(s))
        return limn_fail(err, LIMN_E_ARG,
                         "%zu best hypotheses are not in 1 … %zu, those that may "
                         "finish",
                         s->n_best, limn_beam_max_finished(s));
    if (s->max_steps < 1 || s->max_steps > plan->max_steps)
        return limn_fail(err, LIMN_E_ARG, "%zu steps are not in 1 … %zu", s->max_steps,
                         plan->max_steps);
    if (s->n_tokens > plan->n_tokens || s->end_token >= s->n_tokens)
        return limn_fail(err, LIMN_E_ARG, "%zu tokens are more than %zu, or lack end token %u",
                         s->n_tokens, plan->n_tokens, s->end_token);
    if (n_states_of(s) > n_states_of(plan) || n_groups_of(s) > n_groups_of(plan) ||
        max_finished_of(s) > max_finished_of(plan) || width_of(s) > width_of(plan) ||
        (n_groups_of(s) > 1 && s->n_best > plan->n_best) ||
        (has_own_values(s) && !has_own_values(plan)))
        return limn_fail(err, LIMN_E_ARG, "the search is larger than what it was planned for");
    return LIMN_OK;
}

static limn_status check(const limn_beam *b, const limn_beam_settings *s, limn_error *err)
{
    LIMN_TRY(check_sizes(b, s, err));
    if (!isfinite(s->length_penalty) || !isfinite(s->length_reward))
        return limn_fail(err, LIMN_E_ARG, "length penalty or reward is not finite");
    if (!(s->coverage >= 0) || (s->coverage > 0 && !s->coverage_of) || !(s->diversity >= 0))
        return limn_fail(err, LIMN_E_ARG, "coverage or diversity is below 0, or not measured");
    return limn_constraints_check(&s->constraints, s->n_tokens, s->max_steps, err);
}

limn_status limn_beam_begin(limn_beam *b, const limn_beam_settings *s, limn_error *err)
{
    const size_t n_states = n_states_of(s);
    LIMN_TRY(check(b, s, err));
    b->settings = *s;
    for (size_t g = 0; g < n_groups_of(s); g++) {
        b->groups[g].n_finished = 0;
        for (size_t i = 0; i < n_states; i++) b->banks[g * n_states + i] = (bank){ 0, i == 0 };
    }
    limn_hypothesis_clear(&b->open[0]);
    b->n_open = 1;
    b->n_steps = 0;
    b->parents[0] = 0;
    b->tokens[0] = s->start_token;
    return LIMN_OK;
}

limn_search_rows limn_beam_rows(const limn_beam *b)
{
    const size_t n_rows = b->n_steps < b->settings.max_steps ? b->n_open : 0;
    return (limn_search_rows){ n_rows, b->parents, b->tokens };
}

void limn_beam_take(limn_beam *b, float *log_probs)
{
    b->log_probs = log_probs;
    advance(b, &b->settings);
    drop_hopeless(b, &b->settings);
    b->n_steps++;
}

limn_status limn_beam_end(limn_beam *b, const limn_hypothesis **out, size_t *n_out, limn_error *err)
{
    const limn_beam_settings *s = &b->settings;
    for (size_t g = 0; g < n_groups_of(s); g++)
        if (b->groups[g].n_finished < max_finished_of(s)) add_unfinished(b, s, g);
    return take_best(b, s, out, n_out, err);
}

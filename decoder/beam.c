#include "decoder/beam.h"

#include <math.h>
#include <string.h>

/* One more token for a row. */
typedef struct candidate {
    double logprob; /* of the whole hypothesis */
    float token_logprob;
    uint32_t row, token;
} candidate;

struct limn_beam {
    size_t max_beam, max_steps, max_tokens; /* what was planned for */
    float *log_probs;                       /* [max_beam, n_tokens] */
    limn_hypothesis *open, *next;           /* [max_beam], best logprob first; before and after a
                                             * step; row i of the callback is open[i] */
    limn_hypothesis *finished;              /* [max_beam], best score first */
    candidate *candidates;                  /* [2 * max_beam], best first */
    uint32_t *parents, *tokens;             /* [max_beam], of the rows of the next callback */
    size_t n_open, n_finished, n_candidates;
};

/* ---- planning ------------------------------------------------------------------------------ */

static limn_hypothesis *plan_hypotheses(limn_arena *a, size_t n, size_t max_steps)
{
    limn_hypothesis *items = limn_arena_take(a, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        uint32_t *tokens = limn_arena_take(a, max_steps, sizeof *tokens);
        float *logprobs = limn_arena_take(a, max_steps, sizeof *logprobs);
        uint32_t *rows = limn_arena_take(a, max_steps, sizeof *rows);
        if (items)
            items[i] = (limn_hypothesis){ .tokens = tokens, .token_logprobs = logprobs,
                                          .rows = rows };
    }
    return items;
}

limn_beam *limn_beam_plan(limn_arena *a, size_t beam_size, size_t max_steps, size_t n_tokens)
{
    limn_beam plan = { .max_beam = beam_size, .max_steps = max_steps, .max_tokens = n_tokens };
    limn_beam *b = limn_arena_take(a, 1, sizeof *b);
    plan.log_probs = limn_arena_take(a, beam_size * n_tokens, sizeof *plan.log_probs);
    plan.open = plan_hypotheses(a, beam_size, max_steps);
    plan.next = plan_hypotheses(a, beam_size, max_steps);
    plan.finished = plan_hypotheses(a, beam_size, max_steps);
    plan.candidates = limn_arena_take(a, 2 * beam_size, sizeof *plan.candidates);
    plan.parents = limn_arena_take(a, beam_size, sizeof *plan.parents);
    plan.tokens = limn_arena_take(a, beam_size, sizeof *plan.tokens);
    if (!b || a->has_failed)
        return NULL;
    *b = plan;
    return b;
}

/* ---- candidates ---------------------------------------------------------------------------- */

/* Keeps the best `max`. Rows and tokens come in increasing order, so the later of equals stays
 * behind. */
static void offer(limn_beam *b, size_t max, candidate c)
{
    size_t at = b->n_candidates < max ? b->n_candidates++ : max - 1;
    for (; at > 0 && c.logprob > b->candidates[at - 1].logprob; at--)
        b->candidates[at] = b->candidates[at - 1];
    b->candidates[at] = c;
}

static void offer_row(limn_beam *b, size_t row, const float *log_probs, size_t n_tokens, size_t max)
{
    const double past = b->open[row].logprob;
    for (size_t t = 0; t < n_tokens; t++) {
        const double logprob = past + (double)log_probs[t];
        const double worst =
            b->n_candidates == max ? b->candidates[max - 1].logprob : (double)-INFINITY;
        if (logprob > worst)
            offer(b, max, (candidate){ logprob, log_probs[t], (uint32_t)row, (uint32_t)t });
    }
}

/* The 2K best extensions of all open hypotheses that the constraints allow. */
static void collect_candidates(limn_beam *b, const limn_beam_settings *s)
{
    b->n_candidates = 0;
    for (size_t row = 0; row < b->n_open; row++) {
        float *log_probs = b->log_probs + row * s->n_tokens;
        limn_constraints_apply(&s->constraints, log_probs, s->n_tokens, s->end_token,
                               b->open[row].tokens, b->open[row].n_tokens);
        offer_row(b, row, log_probs, s->n_tokens, 2 * s->beam_size);
    }
}

/* ---- hypotheses ---------------------------------------------------------------------------- */

static double score_of(double logprob, size_t length, const limn_beam_settings *s)
{
    return logprob / pow((double)length, (double)s->length_penalty);
}

/* `to` becomes `from`, in its own memory. */
static void copy_hypothesis(limn_hypothesis *to, const limn_hypothesis *from)
{
    const limn_hypothesis memory = *to;
    *to = *from;
    to->tokens = memory.tokens;
    to->token_logprobs = memory.token_logprobs;
    to->rows = memory.rows;
    memcpy(to->tokens, from->tokens, from->n_tokens * sizeof *to->tokens);
    memcpy(to->token_logprobs, from->token_logprobs, from->n_tokens * sizeof *to->token_logprobs);
    memcpy(to->rows, from->rows, from->n_tokens * sizeof *to->rows);
}

static void append(limn_hypothesis *h, const candidate *c)
{
    h->tokens[h->n_tokens] = c->token;
    h->token_logprobs[h->n_tokens] = c->token_logprob;
    h->rows[h->n_tokens] = c->row;
    h->n_tokens++;
    h->logprob = c->logprob;
}

/* A place among the K best finished ones, whose old content may be overwritten; NULL when the score
 * is not good enough. */
static limn_hypothesis *finished_place(limn_beam *b, const limn_beam_settings *s, double score)
{
    if (b->n_finished == s->beam_size && !(score > b->finished[s->beam_size - 1].score))
        return NULL;
    size_t at = b->n_finished < s->beam_size ? b->n_finished++ : s->beam_size - 1;
    const limn_hypothesis freed = b->finished[at];
    for (; at > 0 && score > b->finished[at - 1].score; at--)
        b->finished[at] = b->finished[at - 1];
    b->finished[at] = freed;
    return &b->finished[at];
}

static void finish(limn_beam *b, const limn_beam_settings *s, const candidate *c)
{
    const limn_hypothesis *parent = &b->open[c->row];
    const double score = score_of(c->logprob, parent->n_tokens + 1, s);
    limn_hypothesis *h = finished_place(b, s, score);
    if (!h)
        return;
    copy_hypothesis(h, parent);
    append(h, c);
    h->score = score;
    h->is_finished = true;
}

/* Walks the candidates from the best: those that end are finished, until there are K open ones. */
static void take_candidates(limn_beam *b, const limn_beam_settings *s)
{
    size_t n_next = 0;
    for (size_t i = 0; i < b->n_candidates && n_next < s->beam_size; i++) {
        const candidate *c = &b->candidates[i];
        if (c->token == s->end_token) {
            finish(b, s, c);
            continue;
        }
        copy_hypothesis(&b->next[n_next], &b->open[c->row]);
        append(&b->next[n_next], c);
        b->parents[n_next] = c->row;
        b->tokens[n_next] = c->token;
        n_next++;
    }
    limn_hypothesis *swap = b->open;
    b->open = b->next;
    b->next = swap;
    b->n_open = n_next;
}

/* The best score that an open hypothesis can still come to: that of ending for nothing at the
 * length that divides its logprob by most. */
static double bound(const limn_hypothesis *h, const limn_beam_settings *s)
{
    const size_t longest = limn_constraints_max_words(&s->constraints, s->max_steps) + 1;
    return score_of(h->logprob, s->length_penalty >= 0 ? longest : h->n_tokens + 1, s);
}

/* Not before K have finished: until then, open ones may come to count without an end. */
static void drop_hopeless(limn_beam *b, const limn_beam_settings *s)
{
    if (b->n_finished < s->beam_size)
        return;
    const double worst = b->finished[s->n_best - 1].score;
    while (b->n_open > 0 && bound(&b->open[b->n_open - 1], s) <= worst)
        b->n_open--;
}

/* Hypotheses that have not ended count where too few have. */
static void add_unfinished(limn_beam *b, const limn_beam_settings *s)
{
    for (size_t i = 0; i < b->n_open; i++) {
        const double score = score_of(b->open[i].logprob, s->max_steps, s);
        limn_hypothesis *h = finished_place(b, s, score);
        if (!h)
            return;
        copy_hypothesis(h, &b->open[i]);
        h->score = score;
    }
}

/* ---- search -------------------------------------------------------------------------------- */

static limn_status check(const limn_beam *b, const limn_beam_settings *s, limn_error *err)
{
    if (s->beam_size < 1 || s->beam_size > b->max_beam)
        return limn_fail(err, LIMN_E_ARG, "beam size %zu is not in 1 … %zu", s->beam_size,
                         b->max_beam);
    if (s->n_best < 1 || s->n_best > s->beam_size)
        return limn_fail(err, LIMN_E_ARG, "%zu best hypotheses are not in 1 … %zu, the beam size",
                         s->n_best, s->beam_size);
    if (s->max_steps < 1 || s->max_steps > b->max_steps)
        return limn_fail(err, LIMN_E_ARG, "%zu steps are not in 1 … %zu", s->max_steps,
                         b->max_steps);
    if (s->n_tokens > b->max_tokens || s->end_token >= s->n_tokens)
        return limn_fail(err, LIMN_E_ARG, "%zu tokens are more than %zu, or lack end token %u",
                         s->n_tokens, b->max_tokens, s->end_token);
    if (!isfinite(s->length_penalty))
        return limn_fail(err, LIMN_E_ARG, "length penalty is not finite");
    return limn_constraints_check(&s->constraints, s->n_tokens, s->max_steps, err);
}

static void start(limn_beam *b, const limn_beam_settings *s)
{
    b->n_finished = 0;
    b->n_open = 1;
    b->open[0].n_tokens = 0;
    b->open[0].logprob = 0;
    b->open[0].is_finished = false;
    b->parents[0] = 0;
    b->tokens[0] = s->start_token;
}

limn_status limn_beam_search(limn_beam *b, const limn_beam_settings *s, limn_beam_step_fn *step,
                             void *ctx, const limn_hypothesis **out, size_t *n_out,
                             limn_error *err)
{
    LIMN_TRY(check(b, s, err));
    start(b, s);
    for (size_t i = 0; i < s->max_steps && b->n_open > 0; i++) {
        step(ctx, b->n_open, b->parents, b->tokens, b->log_probs);
        collect_candidates(b, s);
        take_candidates(b, s);
        drop_hopeless(b, s);
    }
    if (b->n_finished < s->beam_size)
        add_unfinished(b, s);
    *out = b->finished;
    *n_out = b->n_finished < s->n_best ? b->n_finished : s->n_best;
    if (b->n_finished == 0)
        return limn_fail(err, LIMN_E_ARG, "no caption can meet the constraints: everything that "
                                          "could follow is banned");
    return LIMN_OK;
}

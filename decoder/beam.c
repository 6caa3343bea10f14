#include "decoder/beam.h"

#include <math.h>
#include <string.h>

/* A hypothesis under way. Its tokens lie in the beam's token store. */
struct open_hypothesis {
    uint32_t *tokens;   /* [max_steps] */
    float *logprobs;    /* [max_steps] */
    double logprob;
};

struct candidate {
    double logprob; /* of the whole hypothesis */
    float token_logprob;
    uint32_t row, token;
};

struct limn_beam {
    size_t max_beam, max_steps, n_tokens; /* what was planned for */
    float *log_probs;                     /* [max_beam, n_tokens] */
    struct open_hypothesis *open, *next;  /* [max_beam] */
    limn_hypothesis *finished;            /* [max_beam], best score first */
    struct candidate *candidates;         /* [2 * max_beam], best first */
    uint32_t *parents, *last_tokens;      /* [max_beam] */
    size_t n_open, n_next, n_finished, n_candidates;
};

/* ---- planning ------------------------------------------------------------------------------ */

static struct open_hypothesis *plan_hypotheses(limn_arena *a, size_t n, size_t max_steps)
{
    struct open_hypothesis *h = limn_arena_take(a, n, sizeof *h);
    for (size_t i = 0; i < n; i++) {
        uint32_t *tokens = limn_arena_take(a, max_steps, sizeof *tokens);
        float *logprobs = limn_arena_take(a, max_steps, sizeof *logprobs);
        if (h)
            h[i] = (struct open_hypothesis){ .tokens = tokens, .logprobs = logprobs };
    }
    return h;
}

static limn_hypothesis *plan_finished(limn_arena *a, size_t n, size_t max_steps)
{
    limn_hypothesis *h = limn_arena_take(a, n, sizeof *h);
    for (size_t i = 0; i < n; i++) {
        uint32_t *tokens = limn_arena_take(a, max_steps, sizeof *tokens);
        float *logprobs = limn_arena_take(a, max_steps, sizeof *logprobs);
        if (h)
            h[i] = (limn_hypothesis){ .tokens = tokens, .token_logprobs = logprobs };
    }
    return h;
}

limn_beam *limn_beam_plan(limn_arena *a, size_t beam_size, size_t max_steps, size_t n_tokens)
{
    limn_beam planned = { .max_beam = beam_size, .max_steps = max_steps, .n_tokens = n_tokens };
    limn_beam *b = limn_arena_take(a, 1, sizeof *b);
    planned.log_probs = limn_arena_take(a, beam_size * n_tokens, sizeof *planned.log_probs);
    planned.open = plan_hypotheses(a, beam_size, max_steps);
    planned.next = plan_hypotheses(a, beam_size, max_steps);
    planned.finished = plan_finished(a, beam_size, max_steps);
    planned.candidates = limn_arena_take(a, 2 * beam_size, sizeof *planned.candidates);
    planned.parents = limn_arena_take(a, beam_size, sizeof *planned.parents);
    planned.last_tokens = limn_arena_take(a, beam_size, sizeof *planned.last_tokens);
    if (b)
        *b = planned;
    return b;
}

/* ---- what may follow ----------------------------------------------------------------------- */

static void ban_repeats(float *log_probs, const struct open_hypothesis *h, size_t n_words,
                        size_t ngram)
{
    if (ngram == 0 || n_words + 1 < ngram)
        return;
    const uint32_t *tail = h->tokens + n_words + 1 - ngram; /* the last ngram - 1 tokens */
    for (size_t i = 0; i + ngram <= n_words; i++)
        if (memcmp(h->tokens + i, tail, (ngram - 1) * sizeof *tail) == 0)
            log_probs[h->tokens[i + ngram - 1]] = -INFINITY;
}

/* Puts -inf on what a hypothesis of n_words words may not be followed by. */
static void filter(float *log_probs, const struct open_hypothesis *h, size_t n_words,
                   const limn_beam_settings *s)
{
    if (s->max_words > 0 && n_words >= s->max_words) {
        for (size_t t = 0; t < s->n_tokens; t++)
            if (t != s->end_token)
                log_probs[t] = -INFINITY;
        return;
    }
    for (size_t t = 0; s->is_banned && t < s->n_tokens; t++)
        if (s->is_banned[t])
            log_probs[t] = -INFINITY;
    if (n_words < s->min_words)
        log_probs[s->end_token] = -INFINITY;
    ban_repeats(log_probs, h, n_words, s->no_repeat_ngram);
}

/* ---- candidates ---------------------------------------------------------------------------- */

/* Rows and tokens are offered in increasing order, so an equal candidate stays behind. */
static void offer(limn_beam *b, size_t max_candidates, struct candidate c)
{
    size_t at = b->n_candidates;
    if (at == max_candidates && !(c.logprob > b->candidates[at - 1].logprob))
        return;
    if (at == max_candidates)
        at--;
    else
        b->n_candidates++;
    for (; at > 0 && c.logprob > b->candidates[at - 1].logprob; at--)
        b->candidates[at] = b->candidates[at - 1];
    b->candidates[at] = c;
}

/* The best 2K extensions of all open hypotheses. */
static void collect_candidates(limn_beam *b, const limn_beam_settings *s)
{
    const size_t max = 2 * s->beam_size;
    b->n_candidates = 0;
    for (size_t row = 0; row < b->n_open; row++) {
        const float *log_probs = b->log_probs + row * s->n_tokens;
        for (size_t t = 0; t < s->n_tokens; t++) {
            const double logprob = b->open[row].logprob + (double)log_probs[t];
            if (b->n_candidates == max && !(logprob > b->candidates[max - 1].logprob))
                continue;
            if (log_probs[t] > -INFINITY)
                offer(b, max, (struct candidate){ logprob, log_probs[t], (uint32_t)row,
                                                  (uint32_t)t });
        }
    }
}

/* ---- hypotheses ---------------------------------------------------------------------------- */

static double score_of(double logprob, size_t length, const limn_beam_settings *s)
{
    return logprob / pow((double)length, (double)s->length_penalty);
}

/* Keeps the K best scores, earlier ones first among equals. `tokens` has n_tokens. */
static void finish(limn_beam *b, const limn_beam_settings *s, const uint32_t *tokens,
                   const float *logprobs, limn_hypothesis h)
{
    size_t at = b->n_finished;
    if (at == s->beam_size && !(h.score > b->finished[at - 1].score))
        return;
    if (at == s->beam_size)
        at--;
    else
        b->n_finished++;
    const limn_hypothesis freed = b->finished[at];
    for (; at > 0 && h.score > b->finished[at - 1].score; at--)
        b->finished[at] = b->finished[at - 1];
    h.tokens = freed.tokens;
    h.token_logprobs = freed.token_logprobs;
    /* The store is the beam's own; callers see it as const. */
    memcpy((uint32_t *)freed.tokens, tokens, h.n_tokens * sizeof *tokens);
    memcpy((float *)freed.token_logprobs, logprobs, h.n_tokens * sizeof *logprobs);
    b->finished[at] = h;
}

static void extend(limn_beam *b, const struct candidate *c, size_t n_words)
{
    const struct open_hypothesis *parent = &b->open[c->row];
    struct open_hypothesis *child = &b->next[b->n_next];
    memcpy(child->tokens, parent->tokens, n_words * sizeof *child->tokens);
    memcpy(child->logprobs, parent->logprobs, n_words * sizeof *child->logprobs);
    child->tokens[n_words] = c->token;
    child->logprobs[n_words] = c->token_logprob;
    child->logprob = c->logprob;
    b->parents[b->n_next] = c->row;
    b->last_tokens[b->n_next] = c->token;
    b->n_next++;
}

/* Walks the candidates from the best: an end token finishes a hypothesis only while fewer than K
 * open ones rank above it; the others go on, until there are K. */
static void sort_candidates(limn_beam *b, const limn_beam_settings *s, size_t n_words)
{
    b->n_next = 0;
    for (size_t i = 0; i < b->n_candidates && b->n_next < s->beam_size; i++) {
        const struct candidate *c = &b->candidates[i];
        struct open_hypothesis *parent = &b->open[c->row];
        if (c->token != s->end_token) {
            extend(b, c, n_words);
            continue;
        }
        parent->tokens[n_words] = c->token;
        parent->logprobs[n_words] = c->token_logprob;
        finish(b, s, parent->tokens, parent->logprobs,
               (limn_hypothesis){ .n_tokens = n_words + 1, .is_finished = true,
                                  .logprob = c->logprob,
                                  .score = score_of(c->logprob, n_words + 1, s) });
    }
    struct open_hypothesis *swap = b->open;
    b->open = b->next;
    b->next = swap;
    b->n_open = b->n_next;
}

/* K are finished, and the best open one could not beat the worst of them even at full length. */
static bool is_done(const limn_beam *b, const limn_beam_settings *s)
{
    if (b->n_open == 0)
        return true;
    return b->n_finished == s->beam_size &&
           score_of(b->open[0].logprob, s->max_steps, s) <=
               b->finished[b->n_finished - 1].score;
}

/* ---- search -------------------------------------------------------------------------------- */

static limn_status check(const limn_beam *b, const limn_beam_settings *s, limn_error *err)
{
    if (s->beam_size < 1 || s->beam_size > b->max_beam)
        return limn_fail(err, LIMN_E_ARG, "beam size %zu is not in 1 … %zu", s->beam_size,
                         b->max_beam);
    if (s->max_steps < 1 || s->max_steps > b->max_steps)
        return limn_fail(err, LIMN_E_ARG, "%zu steps are not in 1 … %zu", s->max_steps,
                         b->max_steps);
    if (s->n_tokens < 1 || s->n_tokens > b->n_tokens || s->end_token >= s->n_tokens)
        return limn_fail(err, LIMN_E_ARG, "%zu tokens are not in 1 … %zu, or lack end token %u",
                         s->n_tokens, b->n_tokens, s->end_token);
    if (s->max_words > 0 && s->min_words > s->max_words)
        return limn_fail(err, LIMN_E_ARG, "at least %zu words and at most %zu can't both be",
                         s->min_words, s->max_words);
    if (s->min_words >= s->max_steps)
        return limn_fail(err, LIMN_E_ARG, "at least %zu words do not fit into %zu steps",
                         s->min_words, s->max_steps);
    if (!isfinite(s->length_penalty))
        return limn_fail(err, LIMN_E_ARG, "length penalty is not finite");
    return LIMN_OK;
}

/* Hypotheses that never ended count only where too few have finished. */
static void add_unfinished(limn_beam *b, const limn_beam_settings *s)
{
    const size_t n_missing = s->beam_size - b->n_finished;
    for (size_t i = 0; i < b->n_open && i < n_missing; i++)
        finish(b, s, b->open[i].tokens, b->open[i].logprobs,
               (limn_hypothesis){ .n_tokens = s->max_steps, .logprob = b->open[i].logprob,
                                  .score = score_of(b->open[i].logprob, s->max_steps, s) });
}

limn_status limn_beam_search(limn_beam *b, const limn_beam_settings *s, limn_beam_step_fn *step,
                             void *ctx, const limn_hypothesis **out, size_t *n_out,
                             limn_error *err)
{
    size_t n_steps = 0;
    LIMN_TRY(check(b, s, err));
    b->n_finished = 0;
    b->n_open = 1;
    b->open[0].logprob = 0;
    b->parents[0] = 0;
    b->last_tokens[0] = s->start_token;
    while (n_steps < s->max_steps && !is_done(b, s)) {
        step(ctx, b->n_open, b->parents, b->last_tokens, b->log_probs);
        for (size_t row = 0; row < b->n_open; row++)
            filter(b->log_probs + row * s->n_tokens, &b->open[row], n_steps, s);
        collect_candidates(b, s);
        sort_candidates(b, s, n_steps);
        n_steps++;
    }
    if (n_steps == s->max_steps)
        add_unfinished(b, s);
    *out = b->finished;
    *n_out = b->n_finished;
    if (b->n_finished == 0)
        return limn_fail(err, LIMN_E_ARG, "no caption can meet the options: every word is banned "
                                          "before the caption may end");
    return LIMN_OK;
}

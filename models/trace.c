#include "models/trace.h"

#include <math.h>
#include <string.h>

#include "common/base/ranked.h"
#include "common/kernels/c/math_c.h"

struct limn_trace {
    limn_trace_settings settings;
    limn_search search;
    limn_search_step *steps;        /* [max_steps] */
    limn_prediction *rows;          /* [max_steps, max_rows] */
    limn_alternative *alternatives; /* [max_steps, max_rows, n_alternatives] */
    float *attention;               /* [max_steps, max_rows, attention_dim] */
    float *log_probs;               /* [max_rows, n_tokens] of the step before */
    limn_decoder_state *decoder;
};

limn_trace *limn_trace_plan(limn_arena *a, const limn_trace_settings *s)
{
    const size_t n_rows = s->max_steps * s->max_rows;
    limn_trace plan = { .settings = *s };
    limn_trace *t = limn_arena_take(a, 1, sizeof *t);
    plan.steps = limn_arena_take(a, s->max_steps, sizeof *plan.steps);
    plan.rows = limn_arena_take(a, n_rows, sizeof *plan.rows);
    plan.alternatives = limn_arena_take(a, n_rows * s->n_alternatives, sizeof *plan.alternatives);
    plan.attention = limn_arena_take(a, n_rows * s->attention_dim, sizeof *plan.attention);
    plan.log_probs = limn_arena_take(a, s->max_rows * s->n_tokens, sizeof *plan.log_probs);
    if (!t || a->has_failed) return NULL;
    *t = plan;
    return t;
}

void limn_trace_attach(limn_trace *t, limn_decoder_state *decoder)
{
    t->decoder = decoder;
    if (t->settings.attention_dim) limn_decoder_keep_attention(decoder, t->attention);
}

void limn_trace_begin(limn_trace *t)
{
    t->search = (limn_search){ t->steps, 0 };
}

static bool is_more_probable(const void *a, const void *b)
{
    return ((const limn_alternative *)a)->logprob > ((const limn_alternative *)b)->logprob;
}

/* The best n of log_probs [n_tokens] that can be written, best first; of equals, the lower token.
 * Returns how many there are. */
static size_t select_best(limn_alternative *out, size_t n, const float *log_probs, size_t n_tokens)
{
    size_t n_out = 0;
    for (size_t token = 0; token < n_tokens && n > 0; token++) {
        if (!(log_probs[token] > (n_out == n ? out[n - 1].logprob : -INFINITY))) continue;
        const limn_alternative a = { (uint32_t)token, log_probs[token] };
        limn_ranked_insert(out, &n_out, n, sizeof a, &a, is_more_probable);
    }
    return n_out;
}

/* -sum of p log p in order of the tokens. */
static float entropy_of(const float *log_probs, size_t n_tokens)
{
    double sum = 0;
    for (size_t i = 0; i < n_tokens; i++) {
        const float p = limn_expf(log_probs[i]);
        if (p > 0) sum -= (double)p * (double)log_probs[i];
    }
    return (float)sum;
}

void limn_trace_step(limn_trace *t, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                     const float *log_probs)
{
    const limn_trace_settings *s = &t->settings;
    const size_t step = t->search.n_steps++, first = step * s->max_rows;
    for (size_t r = 0; r < n_rows; r++) {
        limn_alternative *best = t->alternatives + (first + r) * s->n_alternatives;
        t->rows[first + r] = (limn_prediction){
            .parent = step > 0 ? parents[r] : 0,
            .token = tokens[r],
            .alternatives = best,
            .n_alternatives =
                select_best(best, s->n_alternatives, log_probs + r * s->n_tokens, s->n_tokens),
            .token_logprob = step > 0 ? t->log_probs[parents[r] * s->n_tokens + tokens[r]] : 0,
            .entropy = entropy_of(log_probs + r * s->n_tokens, s->n_tokens),
            .attention = s->attention_dim ? limn_decoder_attention(t->decoder, step, r) : NULL,
        };
    }
    memcpy(t->log_probs, log_probs, n_rows * s->n_tokens * sizeof *log_probs);
    t->steps[step] = (limn_search_step){ t->rows + first, n_rows };
}

const limn_search *limn_trace_search(const limn_trace *t)
{
    return &t->search;
}

void limn_trace_predictions(const limn_prediction **out, const limn_trace *t, const uint32_t *rows,
                            size_t n_tokens)
{
    for (size_t i = 0; i < n_tokens; i++) out[i] = &t->steps[i].rows[rows[i]];
}

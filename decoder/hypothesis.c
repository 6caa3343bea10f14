#include "decoder/hypothesis.h"

#include <math.h>
#include <string.h>

limn_hypothesis *limn_hypotheses_plan(limn_arena *a, size_t n, size_t max_steps)
{
    limn_hypothesis *items = limn_arena_take(a, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        uint32_t *tokens = limn_arena_take(a, max_steps, sizeof *tokens);
        float *logprobs = limn_arena_take(a, max_steps, sizeof *logprobs);
        uint32_t *rows = limn_arena_take(a, max_steps, sizeof *rows);
        if (items)
            items[i] =
                (limn_hypothesis){ .tokens = tokens, .token_logprobs = logprobs, .rows = rows };
    }
    return items;
}

void limn_hypothesis_clear(limn_hypothesis *h)
{
    *h = (limn_hypothesis){
        .tokens = h->tokens, .token_logprobs = h->token_logprobs, .rows = h->rows, .n_drawn = 1
    };
}

void limn_hypothesis_copy(limn_hypothesis *to, const limn_hypothesis *from)
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

void limn_hypothesis_append(limn_hypothesis *h, const limn_candidate *c)
{
    h->tokens[h->n_tokens] = c->token;
    h->token_logprobs[h->n_tokens] = c->token_logprob;
    h->rows[h->n_tokens] = c->row;
    h->n_tokens++;
    h->logprob += (double)c->token_logprob;
    h->value = c->value;
}

bool limn_hypothesis_is_better(const void *a, const void *b)
{
    return ((const limn_hypothesis *)a)->score > ((const limn_hypothesis *)b)->score;
}

bool limn_hypothesis_same_tokens(const limn_hypothesis *a, const limn_hypothesis *b)
{
    return a->n_tokens == b->n_tokens &&
           memcmp(a->tokens, b->tokens, a->n_tokens * sizeof *a->tokens) == 0;
}

/* ---- scores ----------------------------------------------------------------------------- */

static double normalised(const limn_scoring *s, double value, size_t length)
{
    return value / pow((double)length, (double)s->length_penalty);
}

double limn_score(const limn_scoring *s, double value, size_t length, size_t row)
{
    double score = normalised(s, value, length);
    if (s->length_reward != 0) score += (double)s->length_reward * (double)length;
    if (s->coverage > 0) score += (double)s->coverage * s->coverage_of(s->coverage_ctx, row);
    return score;
}

double limn_score_bound(const limn_scoring *s, double value, size_t n_tokens, size_t longest)
{
    const size_t next = n_tokens + 1;
    double bound = normalised(s, value, s->length_penalty >= 0 ? longest : next);
    if (s->length_reward != 0)
        bound += (double)s->length_reward * (double)(s->length_reward > 0 ? longest : next);
    return bound;
}

#include "decoder/token_values.h"

#include <math.h>

static bool has_repetition(const limn_token_values *v)
{
    return v->repetition != 0 && v->repetition != 1;
}

bool limn_token_values_are_plain(const limn_token_values *v)
{
    return !v->filter && !has_repetition(v);
}

static bool is_among(const uint32_t *tokens, size_t n, uint32_t token)
{
    for (size_t i = 0; i < n; i++)
        if (tokens[i] == token) return true;
    return false;
}

/* Penalises each word once, however often it occurs. */
static void punish_repetition(float factor, const limn_hypothesis *h, float *values)
{
    for (size_t i = 0; i < h->n_tokens; i++)
        if (!is_among(h->tokens, i, h->tokens[i])) values[h->tokens[i]] *= factor;
}

static void run_filter(const limn_token_values *v, const limn_hypothesis *h, float *values,
                       size_t n_tokens)
{
    v->filter(v->filter_ctx, h->tokens, h->n_tokens, values, n_tokens);
    for (size_t t = 0; t < n_tokens; t++)
        if (!(values[t] <= 0)) values[t] = values[t] > 0 ? 0 : -INFINITY; /* NaN becomes -inf */
}

void limn_token_values_apply(const limn_token_values *v, const limn_token_bounds *bounds,
                             const limn_hypothesis *h, float *values)
{
    if (has_repetition(v)) punish_repetition(v->repetition, h, values);
    if (v->filter) run_filter(v, h, values, bounds->n_tokens);
    limn_constraints_apply(bounds->constraints, values, bounds->n_tokens, bounds->max_steps,
                           bounds->end_token, h->tokens, h->n_tokens);
}

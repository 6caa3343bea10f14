#include "decoder/constraints.h"

#include <math.h>
#include <string.h>

limn_status limn_constraints_check(const limn_constraints *c, size_t n_tokens, size_t max_steps,
                                   limn_error *err)
{
    if (c->max_words > 0 && c->min_words > c->max_words)
        return limn_fail(err, LIMN_E_ARG, "no caption has at least %zu and at most %zu words",
                         c->min_words, c->max_words);
    if (c->min_words >= max_steps)
        return limn_fail(err, LIMN_E_ARG,
                         "at least %zu words and an end do not fit into %zu tokens",
                         c->min_words, max_steps);
    for (size_t i = 0; i < c->n_banned; i++)
        if (c->banned[i] >= n_tokens)
            return limn_fail(err, LIMN_E_ARG, "banned token %u is not in 0 … %zu", c->banned[i],
                             n_tokens - 1);
    return LIMN_OK;
}

size_t limn_constraints_max_words(const limn_constraints *c, size_t max_steps)
{
    return c->max_words > 0 && c->max_words < max_steps ? c->max_words : max_steps - 1;
}

static void ban_all_but(float *log_probs, size_t n_tokens, uint32_t token)
{
    const float kept = log_probs[token];
    for (size_t t = 0; t < n_tokens; t++)
        log_probs[t] = -INFINITY;
    log_probs[token] = kept;
}

/* Bans what would repeat an n-gram whose first n - 1 words are the last ones. */
static void ban_repeats(float *log_probs, const uint32_t *words, size_t n_words, size_t n)
{
    if (n_words < n)
        return;
    const uint32_t *tail = words + n_words - (n - 1);
    for (const uint32_t *gram = words; gram + n <= words + n_words; gram++)
        if (memcmp(gram, tail, (n - 1) * sizeof *tail) == 0)
            log_probs[gram[n - 1]] = -INFINITY;
}

void limn_constraints_apply(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            uint32_t end_token, const uint32_t *words, size_t n_words)
{
    for (size_t i = 0; i < c->n_banned; i++)
        log_probs[c->banned[i]] = -INFINITY;
    if (c->no_repeat_ngram > 0)
        ban_repeats(log_probs, words, n_words, c->no_repeat_ngram);
    if (n_words < c->min_words)
        log_probs[end_token] = -INFINITY;
    if (c->max_words > 0 && n_words >= c->max_words)
        ban_all_but(log_probs, n_tokens, end_token);
}

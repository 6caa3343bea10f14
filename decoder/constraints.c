#include "decoder/constraints.h"

#include <math.h>
#include <string.h>

static limn_status check_tokens(const char *what, const uint32_t *tokens, size_t n, size_t n_tokens,
                                limn_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (tokens[i] >= n_tokens)
            return limn_fail(err, LIMN_E_ARG, "%s token %u is not in 0 … %zu", what, tokens[i],
                             n_tokens - 1);
    return LIMN_OK;
}

limn_status limn_constraints_check(const limn_constraints *c, size_t n_tokens, size_t max_steps,
                                   limn_error *err)
{
    const size_t longest = limn_constraints_max_words(c, max_steps);
    if (c->max_words > 0 && c->min_words > c->max_words)
        return limn_fail(err, LIMN_E_ARG, "no caption has at least %zu and at most %zu words",
                         c->min_words, c->max_words);
    if (c->min_words >= max_steps)
        return limn_fail(err, LIMN_E_ARG,
                         "at least %zu words and an end do not fit into %zu tokens", c->min_words,
                         max_steps);
    if (c->n_start > longest)
        return limn_fail(err, LIMN_E_ARG, "a start of %zu words is longer than a caption of %zu",
                         c->n_start, longest);
    LIMN_TRY(check_tokens("banned", c->banned, c->n_banned, n_tokens, err));
    return check_tokens("starting", c->start, c->n_start, n_tokens, err);
}

size_t limn_constraints_max_words(const limn_constraints *c, size_t max_steps)
{
    return c->max_words > 0 && c->max_words < max_steps ? c->max_words : max_steps - 1;
}

static void ban_all_but(float *log_probs, size_t n_tokens, uint32_t token)
{
    const float kept = log_probs[token];
    for (size_t t = 0; t < n_tokens; t++) log_probs[t] = -INFINITY;
    log_probs[token] = kept;
}

/* Bans what would repeat an n-gram whose first n - 1 words are the last ones. */
static void ban_repeats(float *log_probs, const uint32_t *words, size_t n_words, size_t n)
{
    if (n_words < n) return;
    const uint32_t *tail = words + n_words - (n - 1);
    for (const uint32_t *gram = words; gram + n <= words + n_words; gram++)
        if (memcmp(gram, tail, (n - 1) * sizeof *tail) == 0) log_probs[gram[n - 1]] = -INFINITY;
}

/* No end after a word that can't be the last; where the next word has to be the last one, none that
 * can't. */
static void ban_bad_endings(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            size_t max_steps, uint32_t end_token, const uint32_t *words,
                            size_t n_words)
{
    if (n_words > 0 && c->cannot_end[words[n_words - 1]]) log_probs[end_token] = -INFINITY;
    if (n_words + 1 < limn_constraints_max_words(c, max_steps)) return;
    for (size_t t = 0; t < n_tokens; t++)
        if (c->cannot_end[t]) log_probs[t] = -INFINITY;
}

void limn_constraints_apply(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            size_t max_steps, uint32_t end_token, const uint32_t *words,
                            size_t n_words)
{
    if (n_words < c->n_start) {
        ban_all_but(log_probs, n_tokens, c->start[n_words]);
        return;
    }
    for (size_t i = 0; i < c->n_banned; i++) log_probs[c->banned[i]] = -INFINITY;
    if (c->banned_phrases) limn_phrase_trie_ban(c->banned_phrases, log_probs, words, n_words);
    if (c->no_repeat_ngram > 0) ban_repeats(log_probs, words, n_words, c->no_repeat_ngram);
    if (n_words < c->min_words) log_probs[end_token] = -INFINITY;
    if (c->cannot_end)
        ban_bad_endings(c, log_probs, n_tokens, max_steps, end_token, words, n_words);
    if (c->max_words > 0 && n_words >= c->max_words) ban_all_but(log_probs, n_tokens, end_token);
}

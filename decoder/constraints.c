#include "decoder/constraints.h"

#include <math.h>
#include <string.h>

#include "decoder/decoder.h"
#include "decoder/word_spans.h"

limn_status limn_constraints_check(const limn_constraints *c, size_t n_tokens, size_t max_steps,
                                   limn_error *err)
{
    const size_t longest = limn_constraints_max_tokens(c, max_steps);
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
    for (size_t i = 0; i < c->n_start; i++)
        if (c->start[i] >= n_tokens)
            return limn_fail(err, LIMN_E_ARG, "starting token %u is not in 0 … %zu", c->start[i],
                             n_tokens - 1);
    return LIMN_OK;
}

size_t limn_constraints_max_tokens(const limn_constraints *c, size_t max_steps)
{
    const bool are_words = !c->classes;
    return are_words && c->max_words > 0 && c->max_words < max_steps ? c->max_words : max_steps - 1;
}

static void ban_all_but(float *log_probs, size_t n_tokens, uint32_t token)
{
    const float kept = log_probs[token];
    for (size_t t = 0; t < n_tokens; t++) log_probs[t] = -INFINITY;
    log_probs[token] = kept;
}

/* The tokens [n] so far, and the words that they are. */
typedef struct past {
    const uint32_t *tokens;
    size_t n;
    const unsigned char *classes;
    const uint32_t *twins;
} past;

static uint32_t last_of(const past *p)
{
    return p->n > 0 ? p->tokens[p->n - 1] : LIMN_NO_TOKEN;
}

/* ---- a new word, or the last one continued ------------------------------------------------- */

/* After the last word: what begins another, and spaces before it. */
static void ban_more_words(const past *p, float *log_probs, size_t n_tokens, uint32_t end_token)
{
    for (uint32_t t = 0; t < n_tokens; t++)
        if (t != end_token && (limn_token_begins_word(p->classes, last_of(p), t) ||
                               p->classes[t] == LIMN_TOKEN_SPACE))
            log_probs[t] = -INFINITY;
}

/* Bans what would lengthen the word before. */
static void ban_going_on(const past *p, float *log_probs, size_t n_tokens)
{
    for (uint32_t t = 0; t < n_tokens; t++)
        if (!limn_token_begins_word(p->classes, last_of(p), t) && p->classes[t] != LIMN_TOKEN_SPACE)
            log_probs[t] = -INFINITY;
}

/* ---- n-grams -------------------------------------------------------------------------------- */

/* Bans what would repeat an n-gram whose first n - 1 words are the last ones, each word a token. */
static void ban_repeated_tokens(float *log_probs, const past *p, size_t n)
{
    if (p->n < n) return;
    const uint32_t *tail = p->tokens + p->n - (n - 1);
    for (const uint32_t *gram = p->tokens; gram + n <= p->tokens + p->n; gram++)
        if (memcmp(gram, tail, (n - 1) * sizeof *tail) == 0) log_probs[gram[n - 1]] = -INFINITY;
}

static uint32_t twin_of(const past *p, uint32_t token)
{
    return p->twins ? p->twins[token] : token;
}

/* Whether the first n tokens of words are the same, except for a space before them. */
static bool begin_alike(const past *p, uint32_t a, uint32_t b, size_t n)
{
    if (n == 0) return true;
    const uint32_t *x = p->tokens + a, *y = p->tokens + b;
    return (x[0] == y[0] || twin_of(p, x[0]) == y[0]) &&
           memcmp(x + 1, y + 1, (n - 1) * sizeof *x) == 0;
}

/* Whether the words a [n] and b [n] are the same. */
static bool are_same(const past *p, const limn_word_span *a, const limn_word_span *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t size = a[i].end - a[i].begin;
        if (b[i].end - b[i].begin != size || !begin_alike(p, a[i].begin, b[i].begin, size))
            return false;
    }
    return true;
}

/* Bans the last token of `word`, to which `begun` are the first ones, where it makes that word. */
static void ban_last_token(float *log_probs, const past *p, limn_word_span word,
                           limn_word_span begun)
{
    const size_t n_begun = begun.end - begun.begin;
    const uint32_t last = p->tokens[word.end - 1];
    if (word.end - word.begin != n_begun + 1 || !begin_alike(p, word.begin, begun.begin, n_begun))
        return;
    if (limn_token_begins_word(p->classes, last_of(p), last) == (n_begun == 0))
        log_probs[last] = -INFINITY;
    if (n_begun == 0 && limn_token_begins_word(p->classes, last_of(p), twin_of(p, last)))
        log_probs[twin_of(p, last)] = -INFINITY;
}

/* The same where a word may be several tokens: for a new word, and for the last one continued. */
static void ban_repeated_words(float *log_probs, const past *p, size_t n)
{
    limn_word_span words[LIMN_DECODER_MAX_POSITIONS];
    const size_t n_words =
        limn_word_spans(words, LIMN_DECODER_MAX_POSITIONS, p->classes, p->tokens, p->n);
    const limn_word_span none = { (uint32_t)p->n, (uint32_t)p->n };
    const bool is_open = n_words > 0 && words[n_words - 1].end == p->n;
    for (size_t g = 0; g + n <= n_words; g++) {
        const limn_word_span *gram = words + g, *tail = words + n_words - (n - 1);
        if (are_same(p, gram, tail, n - 1)) ban_last_token(log_probs, p, gram[n - 1], none);
        if (is_open && g + n < n_words && are_same(p, gram, tail - 1, n - 1))
            ban_last_token(log_probs, p, gram[n - 1], words[n_words - 1]);
    }
}

/* ---- endings -------------------------------------------------------------------------------- */

static size_t count_words(const past *p)
{
    size_t n = 0;
    if (!p->classes) return p->n;
    for (size_t i = 0; i < p->n; i++)
        n += limn_token_begins_word(p->classes, i > 0 ? p->tokens[i - 1] : LIMN_NO_TOKEN,
                                    p->tokens[i]);
    return n;
}

/* Whether the last word is one that no caption ends on. */
static bool ends_badly(const limn_constraints *c, const past *p)
{
    for (size_t i = p->n; i-- > 0;)
        if (limn_token_begins_word(p->classes, i > 0 ? p->tokens[i - 1] : LIMN_NO_TOKEN,
                                   p->tokens[i]))
            return limn_phrase_trie_has(c->bad_endings, p->tokens + i, p->n - i);
    return false;
}

/* Bans the end after a word that can't be the last; where the next word has to be the last one,
 * bans words that can't be. */
static void ban_bad_endings(const limn_constraints *c, const past *p, float *log_probs,
                            size_t max_steps, uint32_t end_token, size_t n_words)
{
    const bool is_last_word = c->max_words > 0 && n_words + 1 >= c->max_words;
    if (ends_badly(c, p)) log_probs[end_token] = -INFINITY;
    if (is_last_word || p->n + 1 >= limn_constraints_max_tokens(c, max_steps))
        limn_phrase_trie_ban(c->bad_endings, log_probs, p->classes, p->tokens, p->n);
}

/* ---- all ------------------------------------------------------------------------------------ */

/* What follows `n_words` words, the most there may be. */
static void ban_longer(const past *p, float *log_probs, size_t n_tokens, uint32_t end_token)
{
    if (p->classes)
        ban_more_words(p, log_probs, n_tokens, end_token);
    else
        ban_all_but(log_probs, n_tokens, end_token);
}

void limn_constraints_apply(const limn_constraints *c, float *log_probs, size_t n_tokens,
                            size_t max_steps, uint32_t end_token, const uint32_t *tokens, size_t n)
{
    const past p = { tokens, n, c->classes, c->twins };
    if (n < c->n_start) {
        ban_all_but(log_probs, n_tokens, c->start[n]);
        return;
    }
    const size_t n_words = count_words(&p);
    if (c->classes && n > 0 && n == c->n_start) ban_going_on(&p, log_probs, n_tokens);
    if (c->banned_phrases)
        limn_phrase_trie_ban(c->banned_phrases, log_probs, c->classes, tokens, n);
    if (c->no_repeat_ngram > 0 && c->classes) ban_repeated_words(log_probs, &p, c->no_repeat_ngram);
    if (c->no_repeat_ngram > 0 && !c->classes)
        ban_repeated_tokens(log_probs, &p, c->no_repeat_ngram);
    if (n_words < c->min_words) log_probs[end_token] = -INFINITY;
    if (c->bad_endings) ban_bad_endings(c, &p, log_probs, max_steps, end_token, n_words);
    if (c->max_words > 0 && n_words >= c->max_words) ban_longer(&p, log_probs, n_tokens, end_token);
}

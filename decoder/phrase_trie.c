#include "decoder/phrase_trie.h"

#include <math.h>

#include "common/base/mem.h"

enum { ROOT = 0, NONE = 0 }; /* the root is nobody's child or sibling */

typedef struct node {
    uint32_t token;
    uint32_t first_child, next_sibling; /* NONE: there is none */
    bool is_end;                        /* a phrase ends here */
} node;

struct limn_phrase_trie {
    node *nodes; /* [n_nodes], the root first */
    size_t n_nodes;
    size_t longest; /* tokens of the longest phrase */
};

static uint32_t find_child(const limn_phrase_trie *t, uint32_t parent, uint32_t token)
{
    uint32_t child = t->nodes[parent].first_child;
    while (child != NONE && t->nodes[child].token != token) child = t->nodes[child].next_sibling;
    return child;
}

static uint32_t add_child(limn_phrase_trie *t, uint32_t parent, uint32_t token)
{
    const uint32_t child = (uint32_t)t->n_nodes++;
    t->nodes[child] = (node){ .token = token, .next_sibling = t->nodes[parent].first_child };
    t->nodes[parent].first_child = child;
    return child;
}

static void add_phrase(limn_phrase_trie *t, const limn_phrase *phrase)
{
    uint32_t at = ROOT;
    for (size_t i = 0; i < phrase->n_tokens; i++) {
        const uint32_t child = find_child(t, at, phrase->tokens[i]);
        at = child != NONE ? child : add_child(t, at, phrase->tokens[i]);
    }
    t->nodes[at].is_end = true;
    t->longest = phrase->n_tokens > t->longest ? phrase->n_tokens : t->longest;
}

limn_status limn_phrase_trie_create(limn_phrase_trie **out, const limn_phrase *phrases,
                                    size_t n_phrases, limn_error *err)
{
    size_t n_nodes = 1;
    *out = NULL;
    for (size_t i = 0; i < n_phrases; i++) {
        if (phrases[i].n_tokens == 0)
            return limn_fail(err, LIMN_E_ARG, "phrase %zu has no words", i);
        n_nodes += phrases[i].n_tokens;
    }
    limn_phrase_trie *t = limn_calloc(1, sizeof *t);
    if (t) t->nodes = limn_calloc(n_nodes, sizeof *t->nodes);
    if (!t || !t->nodes || n_nodes > UINT32_MAX) {
        limn_phrase_trie_destroy(&t);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu phrases", n_phrases);
    }
    t->n_nodes = 1;
    for (size_t i = 0; i < n_phrases; i++) add_phrase(t, &phrases[i]);
    *out = t;
    return LIMN_OK;
}

void limn_phrase_trie_destroy(limn_phrase_trie **t)
{
    if (!t || !*t) return;
    limn_free((*t)->nodes);
    limn_free(*t);
    *t = NULL;
}

/* The node of tokens [n]; NONE where no phrase begins with them, and for none. */
static uint32_t walk(const limn_phrase_trie *t, const uint32_t *tokens, size_t n)
{
    uint32_t at = ROOT;
    for (size_t i = 0; i < n; i++) {
        at = find_child(t, at, tokens[i]);
        if (at == NONE) return NONE;
    }
    return at;
}

static uint32_t before(const uint32_t *tokens, size_t at)
{
    return at > 0 ? tokens[at - 1] : LIMN_NO_TOKEN;
}

/* Bans phrases of one token. */
static void ban_beginnings(const limn_phrase_trie *t, float *log_probs,
                           const unsigned char *classes, uint32_t previous)
{
    for (uint32_t c = t->nodes[ROOT].first_child; c != NONE; c = t->nodes[c].next_sibling)
        if (t->nodes[c].is_end && limn_token_begins_word(classes, previous, t->nodes[c].token))
            log_probs[t->nodes[c].token] = -INFINITY;
}

/* Bans the ends of phrases that begin with tokens [n], n > 0, and have one more. */
static void ban_ends(const limn_phrase_trie *t, float *log_probs, const uint32_t *tokens, size_t n)
{
    const uint32_t at = walk(t, tokens, n);
    if (at == NONE) return;
    for (uint32_t c = t->nodes[at].first_child; c != NONE; c = t->nodes[c].next_sibling)
        if (t->nodes[c].is_end) log_probs[t->nodes[c].token] = -INFINITY;
}

void limn_phrase_trie_ban(const limn_phrase_trie *t, float *log_probs, const unsigned char *classes,
                          const uint32_t *tokens, size_t n)
{
    ban_beginnings(t, log_probs, classes, before(tokens, n));
    for (size_t k = 1; k < t->longest && k <= n; k++)
        if (limn_token_begins_word(classes, before(tokens, n - k), tokens[n - k]))
            ban_ends(t, log_probs, tokens + n - k, k);
}

static bool begins_here(const limn_phrase_trie *t, const uint32_t *tokens, size_t n)
{
    uint32_t at = ROOT;
    for (size_t i = 0; i < n; i++) {
        at = find_child(t, at, tokens[i]);
        if (at == NONE) return false;
        if (t->nodes[at].is_end) return true;
    }
    return false;
}

bool limn_phrase_trie_finds(const limn_phrase_trie *t, const unsigned char *classes,
                            const uint32_t *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (limn_token_begins_word(classes, before(tokens, i), tokens[i]) &&
            begins_here(t, tokens + i, n - i))
            return true;
    return false;
}

bool limn_phrase_trie_has(const limn_phrase_trie *t, const uint32_t *tokens, size_t n)
{
    const uint32_t at = walk(t, tokens, n);
    return at != NONE && t->nodes[at].is_end;
}

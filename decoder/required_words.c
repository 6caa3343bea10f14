#include "decoder/required_words.h"

#include <string.h>

#include "common/base/mem.h"

/* ---- words ------------------------------------------------------------------------------ */

/* What the last token says about the next one: limn_token_begins_word without the token. */
typedef enum after { AFTER_OTHER = 0, AFTER_LETTER, AFTER_NOTHING } after;

static after after_class(unsigned char class)
{
    return limn_token_class_is_of_letters(class) ? AFTER_LETTER : AFTER_OTHER;
}

static bool begins_word(after last, unsigned char class)
{
    if (class == LIMN_TOKEN_CONTINUES) return last == AFTER_NOTHING;
    if (class == LIMN_TOKEN_LETTER) return last != AFTER_LETTER;
    return class != LIMN_TOKEN_SPACE;
}

/* A token to be read; LIMN_NO_TOKEN for any of its class that occurs in no phrase. */
typedef struct comer {
    uint32_t token;
    unsigned char class;
} comer;

/* ---- one requirement -------------------------------------------------------------------- */

/* The trie of a requirement's alternatives (Aho & Corasick 1975). Its nodes are prefixes of
 * phrases, the root the empty one; one more node, `done`, is absorbing. Where a word may have
 * several tokens, a phrase is done once the token after it begins another word; until then its last
 * node waits. */
typedef struct matcher {
    struct matcher_node {
        uint32_t token, parent;
        uint32_t failure;    /* the longest proper suffix that is a node */
        bool is_done;        /* a phrase ends here */
        unsigned char class; /* of the token */
    } * nodes;               /* [n_nodes], parents before children */
    size_t n_nodes;
    const unsigned char *classes; /* NULL: each token is a word */
} matcher;

static unsigned char class_of(const unsigned char *classes, uint32_t token)
{
    return classes ? classes[token] : (unsigned char)LIMN_TOKEN_BEGINS;
}

static uint32_t find_child(const matcher *m, uint32_t parent, uint32_t token)
{
    for (uint32_t i = 1; i < m->n_nodes; i++)
        if (m->nodes[i].parent == parent && m->nodes[i].token == token) return i;
    return 0;
}

static uint32_t done_of(const matcher *m)
{
    return (uint32_t)m->n_nodes;
}

static bool is_waiting(const matcher *m, uint32_t node)
{
    return m->classes && node != done_of(m) && m->nodes[node].is_done;
}

/* Where a token leads from a node; `done` stays. At the root, `last` says what came before. */
static uint32_t step(const matcher *m, uint32_t node, after last, comer c)
{
    if (node == done_of(m)) return node;
    if (node != 0) last = after_class(m->nodes[node].class);
    const bool is_new = begins_word(last, c.class);
    if (is_waiting(m, node) && (is_new || c.class == LIMN_TOKEN_SPACE)) return done_of(m);
    for (;;) {
        const uint32_t child = node != 0 || is_new ? find_child(m, node, c.token) : 0;
        if (child) return m->nodes[child].is_done && !m->classes ? done_of(m) : child;
        if (node == 0) return 0;
        node = m->nodes[node].failure;
    }
}

/* Adds the node of a phrase's first n + 1 tokens, so that nodes come level by level. */
static void add_level(matcher *m, const limn_phrase *phrase, size_t n)
{
    uint32_t parent = 0;
    for (size_t i = 0; i < n; i++) parent = find_child(m, parent, phrase->tokens[i]);
    uint32_t node = find_child(m, parent, phrase->tokens[n]);
    if (!node) {
        node = (uint32_t)m->n_nodes++;
        m->nodes[node] = (struct matcher_node){ .token = phrase->tokens[n],
                                                .parent = parent,
                                                .class = class_of(m->classes, phrase->tokens[n]) };
    }
    if (n + 1 == phrase->n_tokens) m->nodes[node].is_done = true;
}

/* Parents come before children, so failures of shorter prefixes are already known. */
static void link_failures(matcher *m)
{
    for (uint32_t i = 1; i < m->n_nodes; i++) {
        struct matcher_node *node = &m->nodes[i];
        const after last = after_class(m->nodes[node->parent].class);
        uint32_t at = node->parent, child = 0;
        while (at != 0 && !child) {
            at = m->nodes[at].failure;
            if (at != 0 || begins_word(last, node->class)) child = find_child(m, at, node->token);
        }
        node->failure = child;
        node->is_done |= m->nodes[child].is_done;
    }
}

static limn_status build_matcher(matcher *m, const limn_requirement *r, size_t n_tokens,
                                 limn_error *err)
{
    size_t n_nodes = 1, longest = 0;
    for (size_t a = 0; a < r->n_alternatives; a++) {
        const limn_phrase *p = &r->alternatives[a];
        for (size_t i = 0; i < p->n_tokens; i++)
            if (p->tokens[i] >= n_tokens)
                return limn_fail(err, LIMN_E_ARG, "required token %u is not in 0 … %zu",
                                 p->tokens[i], n_tokens - 1);
        if (p->n_tokens == 0) return limn_fail(err, LIMN_E_ARG, "a required phrase has no words");
        n_nodes += p->n_tokens;
        longest = p->n_tokens > longest ? p->n_tokens : longest;
    }
    m->nodes = limn_calloc(n_nodes, sizeof *m->nodes);
    if (!m->nodes) return limn_fail(err, LIMN_E_NOMEM, "no memory for required words");
    m->n_nodes = 1;
    for (size_t level = 0; level < longest; level++)
        for (size_t a = 0; a < r->n_alternatives; a++)
            if (level < r->alternatives[a].n_tokens) add_level(m, &r->alternatives[a], level);
    link_failures(m);
    return LIMN_OK;
}

/* ---- all requirements ------------------------------------------------------------------- */

/* A state is a node of each requirement's matcher, and what the last token was, where that matters
 * to a root. */
typedef struct node_tuple {
    uint32_t nodes[LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS];
    uint32_t last; /* after */
} node_tuple;

struct limn_required_words {
    size_t n_states, n_tokens;
    uint16_t *next; /* [n_states, n_tokens] */
    bool *accepts;  /* [n_states] */
    size_t *needed; /* [n_states] */
};

/* An automaton while its states are being found. */
typedef struct builder {
    matcher matchers[LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS];
    size_t n_matchers, max_states;
    const limn_requirement *requirements;
    const unsigned char *classes; /* [n_tokens] or NULL */
    bool needs_last;              /* a phrase's first token may not begin a word */
    node_tuple *tuples;           /* [n_states] */
    limn_required_words *a;
} builder;

static node_tuple step_all(const builder *b, const node_tuple *from, comer c)
{
    node_tuple to = { .last = AFTER_OTHER };
    bool has_root = false;
    for (size_t i = 0; i < b->n_matchers; i++) {
        to.nodes[i] = step(&b->matchers[i], from->nodes[i], (after)from->last, c);
        has_root |= to.nodes[i] == 0;
    }
    if (b->needs_last && has_root) to.last = after_class(c.class);
    return to;
}

static bool is_accepting(const builder *b, const node_tuple *tuple)
{
    for (size_t i = 0; i < b->n_matchers; i++)
        if (tuple->nodes[i] != done_of(&b->matchers[i]) &&
            !is_waiting(&b->matchers[i], tuple->nodes[i]))
            return false;
    return true;
}

/* The number of a state, which is added when it is new; max_states when there is no more room. */
static size_t number_of(builder *b, const node_tuple *tuple)
{
    limn_required_words *a = b->a;
    for (size_t i = 0; i < a->n_states; i++)
        if (memcmp(&b->tuples[i], tuple, sizeof *tuple) == 0) return i;
    if (a->n_states == b->max_states) return b->max_states;
    b->tuples[a->n_states] = *tuple;
    a->accepts[a->n_states] = is_accepting(b, tuple);
    return a->n_states++;
}

static limn_status grow_next(limn_required_words *a, limn_error *err)
{
    size_t n;
    uint16_t *next =
        limn_size_mul(&n, a->n_states, a->n_tokens) ? limn_realloc(a->next, n, sizeof *next) : NULL;
    if (!next)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu states of required words",
                         a->n_states);
    a->next = next;
    return LIMN_OK;
}

static limn_status too_many(const builder *b, limn_error *err)
{
    return limn_fail(err, LIMN_E_LIMIT, "the required words take more than %zu states",
                     b->max_states);
}

/* Finds where tokens that occur in no phrase lead. */
static limn_status expand_others(builder *b, size_t state, limn_error *err)
{
    limn_required_words *a = b->a;
    size_t to[LIMN_TOKEN_SPACE + 1] = { 0 };
    bool is_known[LIMN_TOKEN_SPACE + 1] = { false };
    uint16_t *next = a->next + state * a->n_tokens;
    for (uint32_t t = 0; t < a->n_tokens; t++) {
        const unsigned char class = class_of(b->classes, t);
        if (!is_known[class]) {
            const node_tuple from = b->tuples[state];
            const node_tuple other = step_all(b, &from, (comer){ LIMN_NO_TOKEN, class });
            to[class] = number_of(b, &other);
            if (to[class] == b->max_states) return too_many(b, err);
            is_known[class] = true;
        }
        next[t] = (uint16_t)to[class];
    }
    return LIMN_OK;
}

/* Finds where every token leads from `state`, and the states that are new. */
static limn_status expand(builder *b, size_t state, limn_error *err)
{
    limn_required_words *a = b->a;
    const node_tuple from = b->tuples[state];
    uint16_t *next = a->next + state * a->n_tokens;
    LIMN_TRY(expand_others(b, state, err));
    for (size_t m = 0; m < b->n_matchers; m++)
        for (size_t i = 1; i < b->matchers[m].n_nodes; i++) {
            const struct matcher_node *node = &b->matchers[m].nodes[i];
            const node_tuple reached = step_all(b, &from, (comer){ node->token, node->class });
            const size_t to = number_of(b, &reached);
            if (to == b->max_states) return too_many(b, err);
            next[node->token] = (uint16_t)to;
        }
    return LIMN_OK;
}

/* needed[s] = 1 + the least of the states after s, until nothing changes. */
static void count_needed(limn_required_words *a)
{
    bool has_changed = true;
    for (size_t s = 0; s < a->n_states; s++) a->needed[s] = a->accepts[s] ? 0 : a->n_states;
    while (has_changed) {
        has_changed = false;
        for (size_t s = 0; s < a->n_states; s++)
            for (size_t t = 0; t < a->n_tokens; t++) {
                const size_t through = a->needed[a->next[s * a->n_tokens + t]] + 1;
                if (through < a->needed[s]) {
                    a->needed[s] = through;
                    has_changed = true;
                }
            }
    }
}

static bool needs_last(const matcher *m)
{
    for (size_t i = 1; i < m->n_nodes; i++)
        if (m->nodes[i].parent == 0 &&
            (m->nodes[i].class == LIMN_TOKEN_LETTER || m->nodes[i].class == LIMN_TOKEN_CONTINUES))
            return true;
    return false;
}

static limn_status build(builder *b, size_t n_requirements, limn_error *err)
{
    limn_required_words *a = b->a;
    node_tuple start = { .last = AFTER_OTHER };
    for (size_t i = 0; i < n_requirements; i++) {
        b->n_matchers++;
        b->matchers[i].classes = b->classes;
        LIMN_TRY(build_matcher(&b->matchers[i], &b->requirements[i], a->n_tokens, err));
        b->needs_last |= needs_last(&b->matchers[i]);
    }
    if (b->needs_last) start.last = AFTER_NOTHING;
    number_of(b, &start);
    for (size_t state = 0; state < a->n_states; state++) {
        LIMN_TRY(grow_next(a, err));
        LIMN_TRY(expand(b, state, err));
    }
    count_needed(a);
    return LIMN_OK;
}

static limn_status allocate(builder *b, limn_error *err)
{
    b->a = limn_calloc(1, sizeof *b->a);
    b->tuples = limn_calloc(b->max_states, sizeof *b->tuples);
    if (b->a) {
        b->a->accepts = limn_calloc(b->max_states, sizeof *b->a->accepts);
        b->a->needed = limn_calloc(b->max_states, sizeof *b->a->needed);
    }
    if (b->a && b->tuples && b->a->accepts && b->a->needed) return LIMN_OK;
    return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu states", b->max_states);
}

limn_status limn_required_words_create(limn_required_words **out,
                                       const limn_requirement *requirements, size_t n_requirements,
                                       const unsigned char *classes, size_t n_tokens,
                                       size_t max_states, limn_error *err)
{
    builder b = { .requirements = requirements, .classes = classes, .max_states = max_states };
    *out = NULL;
    if (n_requirements > LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu required words or phrases are more than %d",
                         n_requirements, LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS);
    limn_status status = allocate(&b, err);
    if (status == LIMN_OK) {
        b.a->n_tokens = n_tokens;
        status = build(&b, n_requirements, err);
    }
    for (size_t i = 0; i < b.n_matchers; i++) limn_free(b.matchers[i].nodes);
    limn_free(b.tuples);
    if (status != LIMN_OK) limn_required_words_destroy(&b.a);
    *out = b.a;
    return status;
}

void limn_required_words_destroy(limn_required_words **a)
{
    if (!a || !*a) return;
    limn_free((*a)->next);
    limn_free((*a)->accepts);
    limn_free((*a)->needed);
    limn_free(*a);
    *a = NULL;
}

size_t limn_required_words_n_states(const limn_required_words *a)
{
    return a->n_states;
}

const uint16_t *limn_required_words_next(const limn_required_words *a, size_t state)
{
    return a->next + state * a->n_tokens;
}

bool limn_required_words_accepts(const limn_required_words *a, size_t state)
{
    return a->accepts[state];
}

size_t limn_required_words_n_needed(const limn_required_words *a, size_t state)
{
    return a->needed[state];
}

#include "decoder/vocab_build.h"

#include <string.h>

#include "common/base/mem.h"

/* A source and its counts. */
typedef struct source {
    limn_vocab_source public;
    limn_word_counts *counts;
} source;

struct limn_vocab_builder {
    limn_caption_tokenizer tokenizer;
    source *sources; /* [n_sources] */
    size_t n_sources, capacity;
};

/* Tokens in the order of their ids; their texts belong to others. */
typedef struct token_list {
    const char **items; /* [n_items] */
    size_t n_items, capacity;
} token_list;

limn_status limn_vocab_builder_create(limn_vocab_builder **out, limn_token_kind kind,
                                      limn_error *err)
{
    limn_vocab_builder *b = limn_calloc(1, sizeof *b);
    *out = b;
    if (!b) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    b->tokenizer.kind = kind;
    return LIMN_OK;
}

void limn_vocab_builder_destroy(limn_vocab_builder **b)
{
    if (!b || !*b) return;
    for (size_t i = 0; i < (*b)->n_sources; i++) {
        limn_word_counts_destroy(&(*b)->sources[i].counts);
        limn_free((*b)->sources[i].public.tokens);
    }
    limn_free((*b)->sources);
    limn_caption_tokenizer_finish(&(*b)->tokenizer);
    limn_free(*b);
    *b = NULL;
}

/* ---- counting ----------------------------------------------------------------------------- */

static limn_status find_source(source **out, limn_vocab_builder *b, uint64_t min_count,
                               limn_error *err)
{
    for (size_t i = 0; i < b->n_sources; i++)
        if (b->sources[i].public.min_count == min_count) {
            *out = &b->sources[i];
            return LIMN_OK;
        }
    if (!limn_grow((void **)&b->sources, &b->capacity, b->n_sources + 1, sizeof *b->sources))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    *out = &b->sources[b->n_sources];
    **out = (source){ .public = { .min_count = min_count } };
    LIMN_TRY(limn_word_counts_create(&(*out)->counts, err));
    b->n_sources++;
    return LIMN_OK;
}

limn_status limn_vocab_builder_add(limn_vocab_builder *b, const char *caption, size_t size,
                                   uint64_t min_count, limn_error *err)
{
    source *s = NULL;
    const char *tokens;
    LIMN_TRY(find_source(&s, b, min_count, err));
    LIMN_TRY(limn_caption_tokenize(&tokens, &b->tokenizer, caption, size, err));
    LIMN_TRY(limn_word_counts_add(s->counts, tokens, err));
    s->public.n_captions++;
    return LIMN_OK;
}

/* ---- choosing ----------------------------------------------------------------------------- */

static bool is_fit(const char *token, limn_token_kind kind)
{
    return !limn_tokenizer_is_mark_of_another(limn_tokenizer_of_kind(kind), token) &&
           limn_vocab_accepts(token, strlen(token));
}

/* Sorts the tokens and leaves out those that can't be in a vocabulary. */
static limn_status sort_tokens(source *s, limn_token_kind kind, limn_error *err)
{
    const size_t n = limn_word_counts_n_different(s->counts);
    limn_vocab_source *p = &s->public;
    LIMN_TRY(limn_word_counts_sorted(&p->tokens, s->counts, err));
    p->n_uses = limn_word_counts_total(s->counts);
    for (size_t i = 0; i < n; i++)
        if (is_fit(p->tokens[i].word, kind)) p->tokens[p->n_tokens++] = p->tokens[i];
    p->n_unfit = n - p->n_tokens;
    return LIMN_OK;
}

static limn_status put(token_list *list, const char *text, limn_error *err)
{
    if (!limn_grow((void **)&list->items, &list->capacity, list->n_items + 1, sizeof *list->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    list->items[list->n_items++] = text;
    return LIMN_OK;
}

/* The tokens that are there whatever the captions say. */
static limn_status put_first_tokens(token_list *list, const limn_vocab *old, limn_token_kind kind,
                                    limn_error *err)
{
    for (uint32_t i = 0; old && i < limn_vocab_n_tokens(old); i++)
        LIMN_TRY(put(list, limn_vocab_text(old, i), err));
    for (size_t i = 0; !old && i < LIMN_N_SPECIAL; i++)
        LIMN_TRY(put(list, limn_special_tokens[i], err));
    const char *first = limn_tokenizer_of_kind(kind)->own->first_token;
    return old || !first ? LIMN_OK : put(list, first, err);
}

/* Whether a token is among the first ones or the frequent ones of sources [n_before]. */
static bool is_there(const char *token, const limn_vocab *old, const source *sources,
                     size_t n_before, limn_token_kind kind)
{
    const size_t size = strlen(token);
    const char *first = limn_tokenizer_of_kind(kind)->own->first_token;
    if (first && strcmp(token, first) == 0) return true;
    if (old && limn_vocab_find(old, token, size) != limn_vocab_specials(old)->unknown) return true;
    for (size_t i = 0; i < n_before; i++)
        if (limn_word_counts_of(sources[i].counts, token, size) >= sources[i].public.min_count)
            return true;
    return false;
}

static limn_status put_source(token_list *list, const limn_vocab_builder *b, size_t index,
                              const limn_vocab *old, limn_error *err)
{
    limn_vocab_source *s = &b->sources[index].public;
    const size_t n = limn_vocab_source_n_frequent(s, s->min_count);
    for (size_t i = 0; i < n; i++)
        if (!is_there(s->tokens[i].word, old, b->sources, index, b->tokenizer.kind)) {
            LIMN_TRY(put(list, s->tokens[i].word, err));
            s->n_added++;
        }
    return LIMN_OK;
}

static limn_status make_list(token_list *list, limn_vocab_builder *b, const limn_vocab *old,
                             limn_error *err)
{
    LIMN_TRY(put_first_tokens(list, old, b->tokenizer.kind, err));
    for (size_t i = 0; i < b->n_sources; i++) {
        LIMN_TRY(sort_tokens(&b->sources[i], b->tokenizer.kind, err));
        LIMN_TRY(put_source(list, b, i, old, err));
    }
    if (list->n_items > LIMN_VOCAB_MAX_TOKENS)
        return limn_fail(err, LIMN_E_LIMIT,
                         "a vocabulary of %zu tokens exceeds the limit of %d; raise the minimum "
                         "count",
                         list->n_items, LIMN_VOCAB_MAX_TOKENS);
    return LIMN_OK;
}

limn_status limn_vocab_builder_build(limn_vocab **out, limn_vocab_builder *b, const limn_vocab *old,
                                     limn_error *err)
{
    token_list list = { 0 };
    limn_status s = LIMN_OK;
    *out = NULL;
    const limn_tokenizer *made = limn_tokenizer_of_kind(b->tokenizer.kind);
    if (old && limn_vocab_tokenizer(old) != made)
        return limn_fail(err, LIMN_E_ARG, "a vocabulary of %s can't be extended by %s",
                         limn_vocab_tokenizer(old)->name, made->name);
    s = make_list(&list, b, old, err);
    if (s == LIMN_OK) s = limn_vocab_create(out, list.items, list.n_items, err);
    limn_free(list.items);
    return s;
}

/* ---- looking ------------------------------------------------------------------------------ */

size_t limn_vocab_builder_n_sources(const limn_vocab_builder *b)
{
    return b->n_sources;
}

const limn_vocab_source *limn_vocab_builder_source(const limn_vocab_builder *b, size_t index)
{
    return &b->sources[index].public;
}

size_t limn_vocab_source_n_frequent(const limn_vocab_source *s, uint64_t min_count)
{
    size_t n = 0;
    while (n < s->n_tokens && s->tokens[n].count >= min_count) n++;
    return n;
}

double limn_vocab_source_coverage(const limn_vocab_source *s, const limn_vocab *vocab)
{
    uint64_t n_covered = 0;
    for (size_t i = 0; i < s->n_tokens; i++) {
        const char *token = s->tokens[i].word;
        if (limn_vocab_find(vocab, token, strlen(token)) != limn_vocab_specials(vocab)->unknown)
            n_covered += s->tokens[i].count;
    }
    return s->n_uses ? (double)n_covered / (double)s->n_uses : 1;
}

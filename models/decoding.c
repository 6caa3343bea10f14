#include "models/decoding.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/diversity.h"
#include "decoder/beam.h"
#include "models/decoding_parts.h"
#include "models/options.h"
#include "models/spellings.h"

/* ---- texts -------------------------------------------------------------------------------- */

/* Phrases, each a slice of the tokens of `words`. */
typedef struct phrase_list {
    limn_user_words words;
    size_t *ends; /* [n] where each phrase ends in words.tokens */
    size_t n, capacity;
    limn_phrase *phrases; /* [n], once they are made */
} phrase_list;

static void finish_phrases(phrase_list *l)
{
    limn_user_words_finish(&l->words);
    limn_free(l->ends);
    limn_free(l->phrases);
    *l = (phrase_list){ 0 };
}

/* Ends the current phrase after the tokens added so far. */
static limn_status end_phrase(phrase_list *l, limn_error *err)
{
    if (!limn_grow((void **)&l->ends, &l->capacity, l->n + 1, sizeof *l->ends))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    l->ends[l->n++] = l->words.n_tokens;
    return LIMN_OK;
}

/* Two phrases where a word has other tokens after a space than at the beginning. */
static limn_status add_phrase(phrase_list *l, const limn_vocab *v, const char *kind,
                              const char *text, size_t size, limn_error *err)
{
    bool has_others;
    LIMN_TRY(limn_user_words_add(&l->words, v, kind, text, size, err));
    LIMN_TRY(end_phrase(l, err));
    LIMN_TRY(limn_user_words_add_spaced(&has_others, &l->words, v, kind, text, size, err));
    return has_others ? end_phrase(l, err) : LIMN_OK;
}

static limn_status take_spelling(void *ctx, const uint32_t *tokens, size_t n, limn_error *err)
{
    phrase_list *l = ctx;
    for (size_t i = 0; i < n; i++) LIMN_TRY(limn_user_words_add_token(&l->words, tokens[i], err));
    return end_phrase(l, err);
}

/* Adds the other spellings of the phrases from number `first` on. */
static limn_status add_spellings(phrase_list *l, const limn_vocab *v, size_t first, limn_error *err)
{
    uint32_t tokens[LIMN_MAX_SPELLING];
    const size_t n_phrases = l->n;
    for (size_t i = first; i < n_phrases; i++) {
        const size_t begin = i > 0 ? l->ends[i - 1] : 0, n = l->ends[i] - begin;
        if (n > LIMN_MAX_SPELLING) continue;
        memcpy(tokens, l->words.tokens + begin, n * sizeof *tokens); /* the array grows */
        LIMN_TRY(limn_spellings(v, tokens, n, take_spelling, l, err));
    }
    return LIMN_OK;
}

/* Builds `phrases` from `ends`; no phrase may be added afterwards. */
static limn_status make_phrases(phrase_list *l, limn_error *err)
{
    l->phrases = limn_alloc(l->n, sizeof *l->phrases);
    if (!l->phrases) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0, begin = 0; i < l->n; begin = l->ends[i++])
        l->phrases[i] = (limn_phrase){ l->words.tokens + begin, l->ends[i] - begin };
    return LIMN_OK;
}

/* ---- prompt and lengths ------------------------------------------------------------------- */

/* Tokens that all models of an ensemble have positions for, the start token's included. */
static size_t max_positions_of(const limn_model *m)
{
    size_t n = m->config.decoder.max_positions;
    for (size_t i = 0; i < m->n_others; i++)
        if (m->others[i]->config.decoder.max_positions < n)
            n = m->others[i]->config.decoder.max_positions;
    return n;
}

/* New tokens, as the options of a search say it: at least 1, if there is room for one. */
static size_t max_new_of(const limn_decoding *d, const limn_options *o, size_t room)
{
    enum { MAX_NEW = 20, MAX_VIRTEX = 30 };
    const size_t n_prompt = d->prompt.n_tokens;
    size_t n = d->model->config.max_steps;
    if (o->search == LIMN_SEARCH_VIRTEX) n = MAX_VIRTEX;
    if (o->search == LIMN_SEARCH_TRANSFORMERS) n = MAX_NEW;
    if (o->max_new_tokens) return o->max_new_tokens;
    if (o->max_length) return o->max_length > n_prompt ? o->max_length - n_prompt : 0;
    return n < room ? n : room;
}

static limn_status build_prompt(limn_decoding *d, const limn_options *o, limn_error *err)
{
    const size_t n_positions = max_positions_of(d->model);
    LIMN_TRY(limn_user_words_add_token(&d->prompt, d->model->config.decoder.specials.start, err));
    if (o->prompt)
        LIMN_TRY(limn_user_words_add_prompt(&d->prompt, d->model->vocab, o->prompt, err));
    const size_t n = d->prompt.n_tokens;
    if (n > n_positions)
        return limn_fail(err, LIMN_E_ARG,
                         "prompt: %zu tokens including the start, but the model has %zu positions",
                         n, n_positions);
    const size_t room = n_positions - (n - 1); /* the last new token is not read */
    d->max_steps = max_new_of(d, o, room);
    if (d->max_steps == 0)
        return limn_fail(err, LIMN_E_ARG,
                         "max-length: %u leaves no room after the %zu tokens of start and prompt",
                         o->max_length, n);
    if (d->max_steps > room)
        return limn_fail(err, LIMN_E_ARG, "%s: %u is more than the model's %zu positions",
                         o->max_length ? "max-length" : "max-new-tokens",
                         o->max_length ? o->max_length : o->max_new_tokens, n_positions);
    return LIMN_OK;
}

/* ---- banned words ------------------------------------------------------------------------- */

static limn_status build_banned(limn_decoding *d, const limn_options *o, limn_error *err)
{
    phrase_list list = { 0 };
    limn_status s = LIMN_OK;
    for (size_t i = 0; i < o->n_banned_words && s == LIMN_OK; i++) {
        const size_t first = list.n;
        s = add_phrase(&list, d->model->vocab, "banned", o->banned_words[i],
                       strlen(o->banned_words[i]), err);
        if (s == LIMN_OK) s = add_spellings(&list, d->model->vocab, first, err);
    }
    if (s == LIMN_OK) s = make_phrases(&list, err);
    if (s == LIMN_OK && list.n > 0)
        s = limn_phrase_trie_create(&d->banned, list.phrases, list.n, err);
    finish_phrases(&list);
    return s;
}

/* The number of tokens of the longest caption. */
static size_t max_tokens_of(const limn_decoding *d)
{
    const limn_constraints c = { .max_words = d->options.max_words,
                                 .classes = limn_vocab_classes(d->model->vocab) };
    return limn_constraints_max_tokens(&c, d->max_steps);
}

static limn_status build_start(limn_decoding *d, const limn_options *o, limn_error *err)
{
    const size_t max_words = max_tokens_of(d);
    if (!o->start) return LIMN_OK;
    LIMN_TRY(limn_user_words_add(&d->start, d->model->vocab, "starting", o->start, strlen(o->start),
                                 err));
    if (d->start.n_tokens > max_words)
        return limn_fail(err, LIMN_E_ARG,
                         "the start '%.100s' has %zu words, but a caption has at most %zu",
                         o->start, d->start.n_tokens, max_words);
    if (d->banned && limn_phrase_trie_finds(d->banned, limn_vocab_classes(d->model->vocab),
                                            d->start.tokens, d->start.n_tokens))
        return limn_fail(err, LIMN_E_ARG, "the start '%.100s' contains banned words", o->start);
    return LIMN_OK;
}

/* Words that no caption should end on, as far as the vocabulary has their tokens. */
static limn_status build_endings(limn_decoding *d, limn_error *err)
{
    phrase_list list = { 0 };
    limn_status s = LIMN_OK;
    for (size_t i = 0; limn_bad_endings[i] && s == LIMN_OK; i++) {
        limn_error unknown = { 0 };
        s = add_phrase(&list, d->model->vocab, "ending", limn_bad_endings[i],
                       strlen(limn_bad_endings[i]), &unknown);
        if (s == LIMN_E_ARG) s = LIMN_OK;
        if (s != LIMN_OK) limn_fail(err, s, "%s", unknown.text);
    }
    if (s == LIMN_OK) s = make_phrases(&list, err);
    if (s == LIMN_OK) s = limn_phrase_trie_create(&d->bad_endings, list.phrases, list.n, err);
    finish_phrases(&list);
    return s;
}

/* ---- required words ----------------------------------------------------------------------- */

/* The alternatives of all requirements, one after the other. */
typedef struct requirement_list {
    phrase_list phrases;
    size_t n_of[LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS]; /* alternatives of each */
} requirement_list;

static limn_status add_requirement(requirement_list *l, const limn_vocab *v, size_t i,
                                   const char *text, limn_error *err)
{
    const size_t n_before = l->phrases.n;
    do {
        const size_t size = strcspn(text, "|");
        LIMN_TRY(add_phrase(&l->phrases, v, "required", text, size, err));
        text += size;
    } while (*text++);
    l->n_of[i] = l->phrases.n - n_before;
    return LIMN_OK;
}

/* A requirement of which each alternative has banned words can't be met. */
static limn_status check_not_banned(const limn_decoding *d, const limn_requirement *r,
                                    const char *text, limn_error *err)
{
    for (size_t i = 0; i < r->n_alternatives; i++) {
        const limn_phrase *p = &r->alternatives[i];
        if (!d->banned || !limn_phrase_trie_finds(d->banned, limn_vocab_classes(d->model->vocab),
                                                  p->tokens, p->n_tokens))
            return LIMN_OK;
    }
    return limn_fail(err, LIMN_E_ARG, "'%.100s' is required and banned", text);
}

/* The state after the starting words. */
static size_t state_after_start(const limn_decoding *d)
{
    size_t state = 0;
    for (size_t i = 0; i < d->start.n_tokens; i++)
        state = limn_required_words_next(d->required, state)[d->start.tokens[i]];
    return state;
}

static limn_status check_length(const limn_decoding *d, limn_error *err)
{
    const size_t max_words = max_tokens_of(d);
    const size_t n_needed = limn_required_words_n_needed(d->required, state_after_start(d));
    if (d->start.n_tokens + n_needed <= max_words) return LIMN_OK;
    return limn_fail(err, LIMN_E_ARG,
                     "the required words%s need at least %zu words, but a caption has at most %zu",
                     d->start.n_tokens ? " after the start" : "", d->start.n_tokens + n_needed,
                     max_words);
}

static limn_status build_automaton(limn_decoding *d, const requirement_list *l,
                                   const limn_options *o, limn_error *err)
{
    limn_requirement requirements[LIMN_REQUIRED_WORDS_MAX_REQUIREMENTS];
    const limn_phrase *at = l->phrases.phrases;
    const size_t max_states = LIMN_BEAM_MAX_ROWS / o->beam_size;
    limn_error too_many = { 0 };
    for (size_t i = 0; i < o->n_required; at += l->n_of[i++]) {
        requirements[i] = (limn_requirement){ at, l->n_of[i] };
        LIMN_TRY(check_not_banned(d, &requirements[i], o->required[i], err));
    }
    const limn_status s = limn_required_words_create(
        &d->required, requirements, o->n_required, limn_vocab_classes(d->model->vocab),
        d->model->config.decoder.n_tokens, max_states, &too_many);
    if (s == LIMN_E_LIMIT)
        return limn_fail(err, LIMN_E_ARG,
                         "the required words need more than %zu states with a beam of %u each: "
                         "require fewer words, or use a smaller beam",
                         max_states, o->beam_size);
    return s == LIMN_OK ? check_length(d, err) : limn_fail(err, s, "%s", too_many.text);
}

static limn_status build_required(limn_decoding *d, const limn_options *o, limn_error *err)
{
    requirement_list list = { .n_of = { 0 } };
    limn_status s = LIMN_OK;
    for (size_t i = 0; i < o->n_required && s == LIMN_OK; i++)
        s = add_requirement(&list, d->model->vocab, i, o->required[i], err);
    if (s == LIMN_OK) s = make_phrases(&list.phrases, err);
    if (s == LIMN_OK && o->n_required > 0) s = build_automaton(d, &list, o, err);
    finish_phrases(&list.phrases);
    return s;
}

/* ---- creating ------------------------------------------------------------------------------ */

static limn_status build(limn_decoding *d, const limn_options *o, limn_error *err)
{
    LIMN_TRY(build_prompt(d, o, err));
    LIMN_TRY(build_banned(d, o, err));
    LIMN_TRY(build_start(d, o, err));
    if (o->ends_well) LIMN_TRY(build_endings(d, err));
    return build_required(d, o, err);
}

/* What the model file says of its default search, where the options don't. */
static void take_search_of_model(limn_options *o, const limn_model_config *config)
{
    if (isnan(o->length_penalty)) o->length_penalty = config->length_penalty;
    if (o->search == LIMN_SEARCH_LIMN && !limn_options_names(o, "no-repeat-ngram") &&
        !o->no_repeat_ngram)
        o->no_repeat_ngram = config->no_repeat_ngram;
    if (isnan(o->guidance))
        o->guidance = o->search == LIMN_SEARCH_LIMN ? limn_model_config_guidance(config) : 1;
}

limn_status limn_decoding_create(limn_decoding **out, const limn_model *model,
                                 const limn_options *options, limn_error *err)
{
    limn_decoding *d = limn_calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return limn_fail(err, LIMN_E_NOMEM, "no memory for a search");
    d->model = model;
    d->options = *options;
    d->options.banned_words = d->options.required = NULL;
    d->options.start = d->options.prompt = NULL;
    take_search_of_model(&d->options, &model->config);
    const limn_status status = build(d, options, err);
    if (status != LIMN_OK) limn_decoding_destroy(&d);
    *out = d;
    return status;
}

void limn_decoding_destroy(limn_decoding **p)
{
    limn_decoding *d = p ? *p : NULL;
    if (!d) return;
    limn_user_words_finish(&d->start);
    limn_user_words_finish(&d->prompt);
    limn_phrase_trie_destroy(&d->banned);
    limn_required_words_destroy(&d->required);
    limn_phrase_trie_destroy(&d->bad_endings);
    limn_consensus_destroy(&d->consensus);
    limn_free(d);
    *p = NULL;
}

size_t limn_decoding_max_steps(const limn_decoding *d)
{
    return d->prompt.n_tokens - 1 + d->max_steps;
}

const uint32_t *limn_decoding_prompt(const limn_decoding *d, size_t *n)
{
    *n = d->prompt.n_tokens;
    return d->prompt.tokens;
}

float limn_decoding_guidance(const limn_decoding *d)
{
    return d->options.guidance;
}

bool limn_decoding_has_prompt(const limn_decoding *d)
{
    return d->prompt.n_tokens > 1;
}

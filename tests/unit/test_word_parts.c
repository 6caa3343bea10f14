/* Constraints over words of several tokens, with a small tokenizer of pieces ("##" continues a
 * word) and with characters: banned, required, starting and unrepeated words are whole words,
 * checked on the resulting texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decoder/beam.h"
#include "decoder/vocab.h"
#include "decoder/word_spans.h"
#include "models/spellings.h"
#include "models/user_words.h"
#include "tests/unit/toy_language.h"

/* ---- a tokenizer of pieces ---------------------------------------------------------------- */

static limn_token_class piece_class(const char *text, size_t size)
{
    return size > 2 && memcmp(text, "##", 2) == 0 ? LIMN_TOKEN_CONTINUES : LIMN_TOKEN_BEGINS;
}

/* A word is split into its longest leading piece, and then the longest pieces that continue it. */
static limn_status piece_encode(const char **tokens, limn_caption_tokenizer *scratch,
                                const limn_vocab *v, const char *caption, size_t size,
                                limn_error *err)
{
    char piece[64];
    limn_text_clear(&scratch->tokens);
    LIMN_TRY(limn_text_reserve(&scratch->tokens, 1, err));
    for (size_t at = 0, begin = 0; at < size;) {
        size_t end = at;
        if (caption[at] == ' ') {
            begin = ++at;
            continue;
        }
        while (end < size && caption[end] != ' ') end++;
        for (; end > at; end--) {
            snprintf(piece, sizeof piece, "%s%.*s", at > begin ? "##" : "", (int)(end - at),
                     caption + at);
            if (limn_vocab_find(v, piece, strlen(piece)) != limn_vocab_specials(v)->unknown) break;
        }
        if (end == at) end = at + 1;
        if (scratch->tokens.size > 0) LIMN_TRY(limn_text_append(&scratch->tokens, " ", 1, err));
        LIMN_TRY(limn_text_append(&scratch->tokens, piece, strlen(piece), err));
        at = end;
    }
    *tokens = scratch->tokens.bytes;
    return LIMN_OK;
}

static size_t piece_decode(char *out, size_t capacity, const limn_vocab *v, const uint32_t *ids,
                           size_t n)
{
    limn_joined j = { out, capacity, 0 };
    for (size_t i = 0; i < n; i++) {
        const char *text = limn_vocab_text(v, ids[i]);
        if (limn_specials_is_silent(limn_vocab_specials(v), ids[i])) continue;
        const bool continues = piece_class(text, strlen(text)) == LIMN_TOKEN_CONTINUES;
        if (!continues && j.length > 0) limn_joined_append(&j, " ", 1);
        limn_joined_append(&j, text + (continues ? 2 : 0), strlen(text) - (continues ? 2 : 0));
    }
    return limn_joined_end(&j);
}

static const limn_tokenizer pieces = {
    .name = "pieces",
    .mark = "##",
    .class_of = piece_class,
    .encode = piece_encode,
    .decode = piece_decode,
};

/* The special tokens are where the toy languages have theirs: start 0, end 1. */
static const char *const piece_texts[] = { "[S]", "[E]", "a",   "man", "##da", "##rin",
                                           "hot", "dog", "##s", "red", "[P]",  "[U]" };
static const char *const letter_texts[] = {
    "[S]", "[E]", LIMN_SPACE_TOKEN, "a", "b", "c", "狗", "猫", "[P]", "[U]"
};
enum { N_PIECES = 12, N_LETTERS = 10 };

static limn_vocab *make_vocab(const char *const *texts, uint32_t n, const limn_tokenizer *tokenizer)
{
    const uint32_t never[] = { 0, n - 2, n - 1 };
    const limn_specials specials = {
        .start = 0, .end = 1, .pad = n - 2, .unknown = n - 1, never, 3
    };
    limn_vocab *v;
    limn_error err = { 0 };
    if (limn_vocab_create_with(&v, texts, n, tokenizer, &specials, NULL, &err))
        fail_msg("%s", err.text);
    return v;
}

/* Byte-level BPE, in which a word has different tokens at the beginning and after a space, and may
 * be written in several ways. */
static limn_vocab *make_bpe(void)
{
    static const char json[] =
        "{\"tokenizer\": \"byte_bpe\", \"start\": 0, \"end\": 1, \"pad\": null, \"unknown\": null, "
        "\"never_written\": [0], \"merges\": [\"d o\", \"Ġ d\", \"Ġd o\", \"Ġ a\"], "
        "\"tokens\": [\"<s>\", \"</s>\", \"a\", \"Ġa\", \"d\", \"o\", \"Ġ\", \"Ġd\", \"do\", "
        "\"Ġdo\", "
        "\"g\", \"!\"]}";
    json_t *document = NULL;
    limn_vocab *v;
    limn_error err = { 0 };
    assert_int_equal(limn_json_parse(&document, json, sizeof json - 1, NULL), LIMN_OK);
    const limn_json_node root = limn_json_root(document);
    if (limn_vocab_from_json(&v, &root, &err) != LIMN_OK) fail_msg("%s", err.text);
    json_decref(document);
    return v;
}

/* ---- searches over a toy language --------------------------------------------------------- */

typedef struct search {
    limn_arena arena;
    limn_beam *beam;
    const limn_hypothesis *best;
    size_t n_best;
    toy_tracker tracker;
    const limn_vocab *vocab;
} search;

/* Tokens that are never written are impossible. */
static void track(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                  float *log_probs)
{
    search *s = ctx;
    const size_t n = limn_vocab_n_tokens(s->vocab);
    toy_track(&s->tracker, n_rows, parents, tokens, log_probs);
    for (size_t r = 0; r < n_rows; r++)
        limn_specials_forbid(limn_vocab_specials(s->vocab), log_probs + r * n, -INFINITY);
}

static limn_status run(search *r, const limn_vocab *v, uint64_t seed,
                       const limn_constraints *constraints, const limn_required_words *required)
{
    static toy lm;
    lm = (toy){ seed, limn_vocab_n_tokens(v), 0 };
    limn_beam_settings s = { .beam_size = 3,
                             .n_best = 3,
                             .max_steps = MAX_STEPS,
                             .n_tokens = limn_vocab_n_tokens(v),
                             .start_token = 0,
                             .end_token = 1,
                             .constraints = *constraints,
                             .required = required };
    limn_arena counting;
    s.constraints.classes = limn_vocab_classes(v);
    s.constraints.twins = limn_vocab_twins(v);
    limn_arena_init_counting(&counting);
    limn_beam_plan(&counting, &s);
    assert_true(limn_arena_init(&r->arena, counting.high));
    r->beam = limn_beam_plan(&r->arena, &s);
    r->vocab = v;
    r->tracker = toy_tracker_of(toy_next, &lm, s.n_tokens);
    return drive_beam(r->beam, &s, track, r, &r->best, &r->n_best, NULL);
}

static void finish(search *r)
{
    limn_arena_finish(&r->arena);
    toy_tracker_finish(&r->tracker);
}

/* The text with spaces around it, " a hot dog ", to search for words. */
static const char *text_of(const limn_vocab *v, const limn_hypothesis *h)
{
    static char text[400];
    text[0] = ' ';
    const size_t n = limn_vocab_join(text + 1, sizeof text - 3, v, h->tokens, h->n_tokens);
    strcpy(text + 1 + n, " ");
    return text;
}

static limn_user_words tokens_of(const limn_vocab *v, const char *text)
{
    limn_user_words w = { 0 };
    limn_error err = { 0 };
    if (limn_user_words_add(&w, v, "test", text, strlen(text), &err)) fail_msg("%s", err.text);
    return w;
}

typedef char word[40];

/* The texts of the words that tokens [n] spell; returns how many. */
static size_t words_of(word words[MAX_STEPS], const limn_vocab *v, const uint32_t *tokens, size_t n)
{
    limn_word_span spans[MAX_STEPS];
    const size_t n_words = limn_word_spans(spans, MAX_STEPS, limn_vocab_classes(v), tokens, n);
    for (size_t i = 0; i < n_words; i++)
        limn_vocab_join(words[i], sizeof words[i], v, tokens + spans[i].begin,
                        spans[i].end - spans[i].begin);
    return n_words;
}

/* Whether the words of `text` are among the hypothesis's. */
static bool says(const limn_vocab *v, const limn_hypothesis *h, const char *text)
{
    word said[MAX_STEPS], wanted[MAX_STEPS];
    limn_user_words w = tokens_of(v, text);
    const size_t n_wanted = words_of(wanted, v, w.tokens, w.n_tokens);
    const size_t n = words_of(said, v, h->tokens, h->n_tokens - h->is_finished);
    bool is_said = false;
    limn_user_words_finish(&w);
    for (size_t i = 0; i + n_wanted <= n; i++) {
        bool is_here = true;
        for (size_t k = 0; k < n_wanted && k < MAX_STEPS; k++)
            is_here &= strcmp(said[i + k], wanted[k]) == 0;
        is_said |= is_here;
    }
    return is_said;
}

static size_t n_words_of(const limn_vocab *v, const limn_hypothesis *h)
{
    limn_word_span spans[MAX_STEPS];
    return limn_word_spans(spans, MAX_STEPS, limn_vocab_classes(v), h->tokens,
                           h->n_tokens - h->is_finished);
}

/* The ways to write a text, as phrases. */
typedef struct spellings {
    uint32_t tokens[40][MAX_STEPS];
    limn_phrase phrases[40];
    size_t n;
} spellings;

static limn_status take_spelling(void *ctx, const uint32_t *tokens, size_t n, limn_error *err)
{
    spellings *s = ctx;
    (void)err;
    assert_true(s->n < 40 && n <= MAX_STEPS);
    memcpy(s->tokens[s->n], tokens, n * sizeof *tokens);
    s->phrases[s->n] = (limn_phrase){ s->tokens[s->n], n };
    s->n++;
    return LIMN_OK;
}

static void spell(spellings *s, const limn_vocab *v, const limn_user_words *w, bool has_all)
{
    take_spelling(s, w->tokens, w->n_tokens, NULL);
    if (has_all)
        assert_int_equal(limn_spellings(v, w->tokens, w->n_tokens, take_spelling, s, NULL),
                         LIMN_OK);
}

/* Spells a text at the beginning and after a space; has_all: in all ways. */
static void spell_text(spellings *s, const limn_vocab *v, const char *text, bool has_all)
{
    limn_user_words plain = tokens_of(v, text), spaced = { 0 };
    bool has_others;
    spell(s, v, &plain, has_all);
    assert_int_equal(
        limn_user_words_add_spaced(&has_others, &spaced, v, "test", text, strlen(text), NULL),
        LIMN_OK);
    if (has_others) spell(s, v, &spaced, has_all);
    limn_user_words_finish(&plain);
    limn_user_words_finish(&spaced);
}

static limn_phrase_trie *trie_of(const limn_vocab *v, const char *text)
{
    spellings s = { .n = 0 };
    limn_phrase_trie *trie;
    spell_text(&s, v, text, true);
    assert_int_equal(limn_phrase_trie_create(&trie, s.phrases, s.n, NULL), LIMN_OK);
    return trie;
}

/* ---- tests -------------------------------------------------------------------------------- */

static void test_words_are_spans_of_tokens(void **state)
{
    static const struct {
        const char *text;
        size_t n_words, n_tokens;
    } cases[] = { { "a mandarin", 2, 4 }, { "dogs", 1, 2 }, { "hot dog a", 3, 3 } };
    static const struct {
        const char *text;
        size_t n_words, n_tokens;
    } letters[] = { { "abc ab", 2, 6 }, { "狗猫", 2, 2 }, { "ab狗a", 3, 4 }, { "a", 1, 1 } };
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    limn_word_span spans[MAX_STEPS];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        limn_user_words w = tokens_of(v, cases[i].text);
        assert_int_equal(w.n_tokens, cases[i].n_tokens);
        assert_int_equal(
            limn_word_spans(spans, MAX_STEPS, limn_vocab_classes(v), w.tokens, w.n_tokens),
            cases[i].n_words);
        limn_user_words_finish(&w);
    }
    for (size_t i = 0; i < 4; i++) {
        limn_user_words w = tokens_of(l, letters[i].text);
        assert_int_equal(w.n_tokens, letters[i].n_tokens);
        assert_int_equal(
            limn_word_spans(spans, MAX_STEPS, limn_vocab_classes(l), w.tokens, w.n_tokens),
            letters[i].n_words);
        limn_user_words_finish(&w);
    }
    limn_user_words none = { 0 };
    limn_error err = { 0 };
    assert_int_equal(limn_user_words_add(&none, v, "required", "cat", 3, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "required word 'c' is not in the vocabulary"));
    limn_user_words_finish(&none);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&l);
}

/* Bans each of some words: none is then written, though each is written often without the ban. */
static void check_ban(const limn_vocab *v, const char *const *words, size_t n)
{
    for (size_t w = 0; w < n; w++) {
        size_t n_said = 0;
        limn_phrase_trie *trie = trie_of(v, words[w]);
        for (uint64_t seed = 0; seed < 200; seed++) {
            const limn_constraints none = { .min_words = 0 };
            const limn_constraints c = { .banned_phrases = trie };
            search free_run = { .n_best = 0 }, run_of = { .n_best = 0 };
            assert_int_equal(run(&free_run, v, seed, &none, NULL), LIMN_OK);
            assert_int_equal(run(&run_of, v, seed, &c, NULL), LIMN_OK);
            for (size_t i = 0; i < free_run.n_best; i++)
                n_said += says(v, &free_run.best[i], words[w]);
            for (size_t i = 0; i < run_of.n_best; i++)
                if (says(v, &run_of.best[i], words[w]))
                    fail_msg("'%s' in '%s'", words[w], text_of(v, &run_of.best[i]));
            finish(&free_run);
            finish(&run_of);
        }
        if (n_said < 3) fail_msg("'%s' was said %zu times only", words[w], n_said);
        limn_phrase_trie_destroy(&trie);
    }
}

static void test_banned_words_are_not_written(void **state)
{
    static const char *const of_pieces[] = { "man", "hot dog", "dogs", "a red" };
    static const char *const of_letters[] = { "ab", "c" };
    static const char *const of_bytes[] = { "do", "a", "dog", "d" };
    limn_vocab *b = make_bpe();
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    (void)state;
    check_ban(v, of_pieces, 4);
    check_ban(l, of_letters, 2);
    check_ban(b, of_bytes, 4);
    limn_vocab_destroy(&b);
    /* part of another word is not a word: "dog" within "hotdog" may be written */
    limn_phrase_trie *trie = trie_of(l, "b");
    limn_user_words inside = tokens_of(l, "ab"), alone = tokens_of(l, "a b");
    assert_false(limn_phrase_trie_finds(trie, limn_vocab_classes(l), inside.tokens, 2));
    assert_true(limn_phrase_trie_finds(trie, limn_vocab_classes(l), alone.tokens, 3));
    limn_user_words_finish(&inside);
    limn_user_words_finish(&alone);
    limn_phrase_trie_destroy(&trie);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&l);
}

/* "ab" is banned, "cab" is another word. */
static void test_a_banned_word_may_end_another(void **state)
{
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    limn_phrase_trie *trie = trie_of(l, "ab");
    limn_user_words inside = tokens_of(l, "ca"), alone = tokens_of(l, "c a");
    const uint32_t b = limn_vocab_find(l, "b", 1);
    float log_probs[N_LETTERS] = { 0 };
    (void)state;
    limn_phrase_trie_ban(trie, log_probs, limn_vocab_classes(l), inside.tokens, inside.n_tokens);
    for (size_t t = 0; t < N_LETTERS; t++) assert_true(log_probs[t] == 0);
    limn_phrase_trie_ban(trie, log_probs, limn_vocab_classes(l), alone.tokens, alone.n_tokens);
    for (size_t t = 0; t < N_LETTERS; t++) assert_true((log_probs[t] == 0) == (t != b));
    limn_user_words_finish(&inside);
    limn_user_words_finish(&alone);
    limn_phrase_trie_destroy(&trie);
    limn_vocab_destroy(&l);
}

static void check_must(const limn_vocab *v, const char *one, const char *two, const char *other)
{
    spellings either = { .n = 0 }, second = { .n = 0 };
    limn_required_words *a;
    size_t n_both = 0;
    spell_text(&either, v, one, false);
    spell_text(&either, v, two, false);
    spell_text(&second, v, other, false);
    const limn_requirement r[] = { { either.phrases, either.n }, { second.phrases, second.n } };
    limn_error err = { 0 };
    if (limn_required_words_create(&a, r, 2, limn_vocab_classes(v), limn_vocab_n_tokens(v), 60,
                                   &err))
        fail_msg("%s", err.text);
    for (uint64_t seed = 0; seed < 200; seed++) {
        const limn_constraints none = { .min_words = 0 };
        search run_of = { .n_best = 0 };
        if (run(&run_of, v, seed, &none, a) == LIMN_OK)
            for (size_t i = 0; i < run_of.n_best; i++) {
                const limn_hypothesis *h = &run_of.best[i];
                if (!(says(v, h, one) || says(v, h, two)) || !says(v, h, other))
                    fail_msg("'%s' lacks %s or %s, or %s", text_of(v, h), one, two, other);
                n_both += says(v, h, one) && says(v, h, other);
            }
        finish(&run_of);
    }
    assert_true(n_both > 3);
    limn_required_words_destroy(&a);
}

static void test_required_words_are_whole_words(void **state)
{
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    (void)state;
    check_must(v, "dog", "hot man", "mandarin");
    check_must(v, "dogs", "a", "man");
    check_must(l, "ab", "c", "b");
    check_must(l, "狗", "a c", "a");
    limn_vocab *b = make_bpe();
    check_must(b, "do", "dog", "a");
    check_must(b, "d", "a a", "g");
    limn_vocab_destroy(&b);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&l);
}

static void test_limits_count_words(void **state)
{
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    size_t n_longer = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const limn_vocab *of = seed % 2 ? v : l;
        const limn_constraints c = { .min_words = 2, .max_words = 2 + seed % 2 };
        search r = { .n_best = 0 };
        assert_int_equal(run(&r, of, seed, &c, NULL), LIMN_OK);
        for (size_t i = 0; i < r.n_best; i++) {
            const size_t n = n_words_of(of, &r.best[i]);
            assert_true(n <= c.max_words && (n >= 2 || !r.best[i].is_finished));
            n_longer += r.best[i].n_tokens - r.best[i].is_finished > n;
        }
        finish(&r);
    }
    assert_true(n_longer > 50); /* there were words of several tokens */
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&l);
}

/* Whether any n words in a row occur twice, by their texts. */
static bool repeats(const limn_vocab *v, const limn_hypothesis *h, size_t n)
{
    word words[MAX_STEPS];
    char gram[MAX_STEPS][130];
    const size_t n_words = words_of(words, v, h->tokens, h->n_tokens - h->is_finished);
    for (size_t i = 0; i + n <= n_words; i++) {
        snprintf(gram[i], sizeof gram[i], "%s %s", words[i], n > 1 ? words[i + 1] : "");
        for (size_t k = 0; k < i; k++)
            if (strcmp(gram[k], gram[i]) == 0) return true;
    }
    return false;
}

static void test_no_words_are_repeated(void **state)
{
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_vocab *l = make_vocab(letter_texts, N_LETTERS, &limn_tokenizer_characters);
    size_t n_repeating = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        const limn_vocab *of = seed % 2 ? v : l;
        const size_t n = 1 + seed / 2 % 2;
        const limn_constraints none = { .min_words = 0 }, c = { .no_repeat_ngram = n };
        search free_run = { .n_best = 0 }, r = { .n_best = 0 };
        assert_int_equal(run(&free_run, of, seed, &none, NULL), LIMN_OK);
        assert_int_equal(run(&r, of, seed, &c, NULL), LIMN_OK);
        for (size_t i = 0; i < free_run.n_best; i++)
            n_repeating += repeats(of, &free_run.best[i], n);
        for (size_t i = 0; i < r.n_best; i++)
            if (repeats(of, &r.best[i], n)) fail_msg("'%s' repeats", text_of(of, &r.best[i]));
        finish(&free_run);
        finish(&r);
    }
    assert_true(n_repeating > 20);
    limn_vocab_destroy(&v);
    limn_vocab_destroy(&l);
}

static void test_a_start_is_whole_words(void **state)
{
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_user_words w = tokens_of(v, "a mandarin dog");
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const limn_constraints c = { .start = w.tokens, .n_start = w.n_tokens };
        search r = { .n_best = 0 };
        assert_int_equal(run(&r, v, seed, &c, NULL), LIMN_OK);
        for (size_t i = 0; i < r.n_best; i++)
            assert_true(strncmp(text_of(v, &r.best[i]), " a mandarin dog ", 16) == 0);
        finish(&r);
    }
    limn_user_words_finish(&w);
    limn_vocab_destroy(&v);
}

static void test_no_caption_ends_on_a_bad_word(void **state)
{
    static const char *const bad[] = { "dogs", "a" };
    limn_vocab *v = make_vocab(piece_texts, N_PIECES, &pieces);
    limn_user_words w[] = { tokens_of(v, bad[0]), tokens_of(v, bad[1]) };
    const limn_phrase phrases[] = { { w[0].tokens, w[0].n_tokens },
                                    { w[1].tokens, w[1].n_tokens } };
    limn_phrase_trie *trie;
    (void)state;
    assert_int_equal(limn_phrase_trie_create(&trie, phrases, 2, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 200; seed++) {
        const limn_constraints c = { .bad_endings = trie, .max_words = seed % 4 };
        search r = { .n_best = 0 };
        assert_int_equal(run(&r, v, seed, &c, NULL), LIMN_OK);
        for (size_t i = 0; i < r.n_best; i++) {
            const char *text = text_of(v, &r.best[i]);
            const size_t n = strlen(text);
            assert_false(n > 5 && strcmp(text + n - 6, " dogs ") == 0);
            assert_false(n > 2 && strcmp(text + n - 3, " a ") == 0);
        }
        finish(&r);
    }
    limn_phrase_trie_destroy(&trie);
    limn_user_words_finish(&w[0]);
    limn_user_words_finish(&w[1]);
    limn_vocab_destroy(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_spans_of_tokens),
        cmocka_unit_test(test_banned_words_are_not_written),
        cmocka_unit_test(test_a_banned_word_may_end_another),
        cmocka_unit_test(test_required_words_are_whole_words),
        cmocka_unit_test(test_limits_count_words),
        cmocka_unit_test(test_no_words_are_repeated),
        cmocka_unit_test(test_a_start_is_whole_words),
        cmocka_unit_test(test_no_caption_ends_on_a_bad_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

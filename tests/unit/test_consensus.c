/* The choice of minimum Bayes risk against its definition, written out again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "decoder/tokenizers/public_vocab.h"
#include "models/consensus.h"
#include "tests/unit/toy_language.h"
#include "tests/fixtures/own_tokens.h"

enum { N_TOKENS = 10, MAX_WORDS = 8, MAX_CAPTIONS = 12, N_IMAGES = 30 };

static const char *const texts[N_TOKENS] = { "<pad>", "<s>", "</s>", "<unk>", "a",
                                             "dog",   "cat", "runs", "red",   "the" };

typedef struct sentence {
    uint32_t words[MAX_WORDS + 1];
    size_t n;
} sentence;

static sentence draw_sentence(limn_rng *rng)
{
    sentence s = { .n = limn_rng_below(rng, MAX_WORDS + 1) };
    for (size_t i = 0; i < s.n; i++) /* some words are more frequent */
        s.words[i] = (uint32_t)(4 + limn_rng_below(rng, 1 + limn_rng_below(rng, N_TOKENS - 4)));
    return s;
}

static const char *text_of(const void *words, uint32_t word)
{
    return ((const char *const *)words)[word];
}

/* ---- CIDEr-D, by its definition ----------------------------------------------------------- */

static bool has_at(const sentence *s, size_t at, const uint32_t *ngram, size_t n)
{
    return at + n <= s->n && memcmp(s->words + at, ngram, n * sizeof *ngram) == 0;
}

static size_t count(const sentence *s, const uint32_t *ngram, size_t n)
{
    size_t times = 0;
    for (size_t i = 0; i < s->n; i++) times += has_at(s, i, ngram, n);
    return times;
}

static bool is_first(const sentence *s, size_t at, size_t n)
{
    for (size_t i = 0; i < at; i++)
        if (has_at(s, i, s->words + at, n)) return false;
    return true;
}

static double weight(const sentence *s, const uint32_t *ngram, size_t n, const sentence *references)
{
    size_t n_images = 0;
    for (size_t i = 0; i < N_IMAGES; i++) n_images += count(&references[i], ngram, n) > 0;
    return (double)count(s, ngram, n) *
           log((double)N_IMAGES / (n_images > 1 ? (double)n_images : 1));
}

static double norm(const sentence *s, size_t n, const sentence *references)
{
    double sum = 0;
    for (size_t i = 0; i + n <= s->n; i++)
        if (is_first(s, i, n)) sum += pow(weight(s, s->words + i, n, references), 2);
    return sqrt(sum);
}

static double similarity(const sentence *a, const sentence *b, const sentence *references)
{
    const double delta = (a->n > 1 ? (double)a->n - 1 : 0) - (b->n > 1 ? (double)b->n - 1 : 0);
    double sum = 0;
    for (size_t n = 1; n <= 4; n++) {
        double dot = 0;
        for (size_t i = 0; i + n <= a->n; i++) {
            const double x = weight(a, a->words + i, n, references);
            const double y = weight(b, a->words + i, n, references);
            dot += is_first(a, i, n) ? fmin(x, y) * y : 0;
        }
        const double norms = norm(a, n, references) * norm(b, n, references);
        sum += norms > 0 ? dot / norms / 4 : 0;
    }
    return 10 * sum * exp(-delta * delta / 72);
}

/* ---- captions with their frequencies ------------------------------------------------------ */

static limn_document_frequencies *count_references(const sentence *references)
{
    limn_ngram_counts counts = { 0 };
    limn_document_frequencies *f;
    limn_cider_df *df;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    for (size_t i = 0; i < N_IMAGES; i++) {
        const limn_sentence s = { references[i].words, references[i].n };
        assert_int_equal(limn_ngram_counts_fill(&counts, s, NULL), LIMN_OK);
        assert_int_equal(limn_cider_df_add(df, &counts, 1, NULL), LIMN_OK);
    }
    assert_int_equal(limn_document_frequencies_create(&f, df, text_of, texts, NULL), LIMN_OK);
    limn_ngram_counts_finish(&counts);
    limn_cider_df_destroy(&df);
    return f;
}

static double consensus_of(const sentence *captions, const limn_hypothesis *h, size_t n, size_t i,
                           bool are_samples, const sentence *references)
{
    double sum = 0, total = 0;
    for (size_t k = 0; k < n; k++) {
        const double w = are_samples ? (double)h[k].n_drawn - (k == i)
                         : k == i    ? 0
                                     : sqrt(exp(h[k].logprob));
        sum += w * similarity(&captions[i], &captions[k], references);
        total += w;
    }
    return total > 0 ? sum / total : 0;
}

/* ---- words of several tokens -------------------------------------------------------------- */

/* The words of `texts`, and all but "a" also as two pieces: a word may be written in two ways,
 * which share no token. */
static limn_vocab *make_pieces(void)
{
    static const char text[] = "<pad>\n<s>\n</s>\n<unk>\na\ndog\ncat\nruns\nred\nthe\n"
                               "do\n##g\nca\n##t\nru\n##ns\nre\n##d\nth\n##e\n";
    const limn_specials specials = LIMN_SPECIALS_OWN;
    limn_vocab *v;
    limn_error err = { 0 };
    if (limn_vocab_from_wordpiece(&v, text, sizeof text - 1, NULL, 0, true, &specials, &err))
        fail_msg("%s", err.text);
    return v;
}

typedef struct written {
    uint32_t tokens[2 * MAX_WORDS + 1];
    size_t n;
} written;

/* The tokens of a caption and its end: each word's own, or its two pieces. */
static written write_in_pieces(const sentence *s, limn_rng *rng)
{
    enum { DOG = 5 };
    written w = { .n = 0 };
    for (size_t i = 0; i < s->n; i++) {
        const uint32_t word = s->words[i];
        if (word < DOG || limn_rng_below(rng, 2) == 0) {
            w.tokens[w.n++] = word;
        } else {
            w.tokens[w.n++] = N_TOKENS + 2 * (word - DOG);
            w.tokens[w.n++] = N_TOKENS + 2 * (word - DOG) + 1;
        }
    }
    w.tokens[w.n] = TOKEN_END;
    return w;
}

static written write_in_words(const sentence *s)
{
    written w = { .n = s->n };
    memcpy(w.tokens, s->words, s->n * sizeof *s->words);
    w.tokens[w.n] = TOKEN_END;
    return w;
}

/* ---- the definition ----------------------------------------------------------------------- */

/* Ranks captions [n] twice; the second time must change nothing. */
static void check_rank(limn_consensus *c, limn_hypothesis *h, size_t n, bool are_samples,
                       const double *expected)
{
    for (int again = 0; again < 2; again++) {
        assert_int_equal(limn_consensus_rank(c, h, n, are_samples, NULL), LIMN_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs(h[i].score - expected[h[i].state]) < 1e-5);
            assert_true(i == 0 || h[i].score <= h[i - 1].score);
        }
    }
}

static void check_definition(uint64_t seed, const limn_vocab *vocab, bool in_pieces)
{
    limn_rng rng = limn_rng_stream(seed, "consensus", 9);
    sentence references[N_IMAGES], captions[MAX_CAPTIONS];
    written as_tokens[MAX_CAPTIONS];
    limn_hypothesis h[MAX_CAPTIONS];
    limn_consensus *c;
    const bool are_samples = seed % 2;
    const size_t n = 2 + limn_rng_below(&rng, MAX_CAPTIONS - 1);
    double expected[MAX_CAPTIONS];
    for (size_t i = 0; i < N_IMAGES; i++) references[i] = draw_sentence(&rng);
    limn_document_frequencies *f = count_references(references);
    for (size_t i = 0; i < n; i++) {
        captions[i] = draw_sentence(&rng);
        as_tokens[i] =
            in_pieces ? write_in_pieces(&captions[i], &rng) : write_in_words(&captions[i]);
        h[i] = (limn_hypothesis){ .n_drawn = 1 + (uint32_t)limn_rng_below(&rng, 4),
                                  .logprob = -8 * limn_rng_uniform(&rng),
                                  .is_finished = limn_rng_below(&rng, 5) > 0,
                                  .tokens = as_tokens[i].tokens,
                                  .state = i };
        h[i].n_tokens = as_tokens[i].n + h[i].is_finished;
    }
    for (size_t i = 0; i < n; i++)
        expected[i] = consensus_of(captions, h, n, i, are_samples, references);
    assert_int_equal(limn_consensus_create(&c, MAX_CAPTIONS, 2 * MAX_WORDS + 1, f, vocab, NULL),
                     LIMN_OK);
    check_rank(c, h, n, are_samples, expected);
    limn_consensus_destroy(&c);
    limn_document_frequencies_destroy(&f);
}

static void test_consensus_is_that_of_its_definition(void **state)
{
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, texts, N_TOKENS, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 150; seed++) check_definition(seed, vocab, false);
    limn_vocab_destroy(&vocab);
}

static void test_consensus_compares_words_not_tokens(void **state)
{
    limn_vocab *vocab = make_pieces();
    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) check_definition(seed, vocab, true);
    limn_vocab_destroy(&vocab);
}

/* ---- a whole language --------------------------------------------------------------------- */

typedef struct language {
    toy lm;
    size_t max_steps, n_all;
    toy_caption all[100]; /* [n_all] every possible caption */
    sentence captions[100];
    limn_hypothesis as_found[100]; /* what consensus_of needs to know about them */
    sentence references[N_IMAGES];
} language;

/* A language with 2 … 4 words. */
static void fill_language(language *l, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "language", 8);
    l->lm = (toy){ seed, 4 + seed % 3, 0 };
    l->max_steps = l->lm.n_tokens == 4 ? 5 : 3;
    l->n_all = 0;
    toy_enumerate(l->all, &l->n_all, &(toy_caption){ .n_tokens = 0 }, &l->lm, l->max_steps, 0.7f);
    for (size_t i = 0; i < l->n_all; i++) {
        l->captions[i].n = l->all[i].n_tokens - l->all[i].is_finished;
        memcpy(l->captions[i].words, l->all[i].tokens, l->captions[i].n * sizeof(uint32_t));
        l->as_found[i].logprob = l->all[i].logprob;
    }
    for (size_t i = 0; i < N_IMAGES; i++) {
        l->references[i].n = 1 + limn_rng_below(&rng, 5);
        for (size_t k = 0; k < l->references[i].n; k++)
            l->references[i].words[k] = (uint32_t)(2 + limn_rng_below(&rng, l->lm.n_tokens - 2));
    }
}

/* The best hypotheses of a beam wide enough for all; they belong to the arena. */
static const limn_hypothesis *search(const language *l, limn_arena *arena, size_t *n)
{
    const limn_beam_settings s = { .beam_size = 100,
                                   .n_best = 100,
                                   .max_steps = l->max_steps,
                                   .length_penalty = 0.7f,
                                   .n_tokens = l->lm.n_tokens,
                                   .start_token = START,
                                   .end_token = END };
    toy_tracker tracker = toy_tracker_of(toy_next, &l->lm, l->lm.n_tokens);
    const limn_hypothesis *found;
    limn_arena_init_counting(arena);
    limn_beam_plan(arena, &s);
    assert_true(limn_arena_init(arena, arena->high));
    limn_beam *beam = limn_beam_plan(arena, &s);
    assert_int_equal(drive_beam(beam, &s, toy_track, &tracker, &found, n, NULL), LIMN_OK);
    toy_tracker_finish(&tracker);
    return found;
}

static size_t number_of(const language *l, const limn_hypothesis *h)
{
    for (size_t i = 0; i < l->n_all; i++)
        if (toy_same_tokens(h, &l->all[i])) return i;
    fail_msg("a caption that the language has not");
    return 0;
}

/* Everything that a search found, ranked, against every possible caption. */
static void check_choice(const language *l, limn_hypothesis *found)
{
    double most = 0;
    for (size_t i = 0; i < l->n_all; i++) {
        const double expected =
            consensus_of(l->captions, l->as_found, l->n_all, i, false, l->references);
        most = expected > most ? expected : most;
        for (size_t k = 0; k < l->n_all; k++)
            if (number_of(l, &found[k]) == i) assert_true(fabs(found[k].score - expected) < 1e-5);
    }
    assert_true(most > 0 && fabs(found[0].score - most) < 1e-5);
}

static void test_the_choice_is_that_of_the_whole_language(void **state)
{
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, texts, N_TOKENS, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 9; seed++) {
        static language l;
        limn_arena arena;
        limn_hypothesis ranked[100];
        limn_consensus *c;
        size_t n;
        fill_language(&l, seed);
        limn_document_frequencies *f = count_references(l.references);
        const limn_hypothesis *found = search(&l, &arena, &n);
        assert_int_equal(n, l.n_all);
        memcpy(ranked, found, n * sizeof *ranked);
        assert_int_equal(limn_consensus_create(&c, n, l.max_steps, f, vocab, NULL), LIMN_OK);
        assert_int_equal(limn_consensus_rank(c, ranked, n, false, NULL), LIMN_OK);
        check_choice(&l, ranked);
        limn_consensus_destroy(&c);
        limn_document_frequencies_destroy(&f);
        limn_arena_finish(&arena);
    }
    limn_vocab_destroy(&vocab);
}

static void test_a_single_caption_stays_as_it_is(void **state)
{
    uint32_t words[] = { 4, 5, TOKEN_END };
    sentence references[N_IMAGES] = { { { 4, 5 }, 2 } };
    limn_hypothesis h = {
        .tokens = words, .n_tokens = 3, .is_finished = true, .n_drawn = 1, .score = -3
    };
    limn_document_frequencies *f = count_references(references);
    limn_consensus *c;
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, texts, N_TOKENS, NULL), LIMN_OK);
    assert_int_equal(limn_consensus_create(&c, 1, 3, f, vocab, NULL), LIMN_OK);
    assert_int_equal(limn_consensus_rank(c, &h, 1, false, NULL), LIMN_OK);
    assert_true(h.score == -3);
    limn_consensus_destroy(&c);
    limn_vocab_destroy(&vocab);
    limn_document_frequencies_destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_consensus_is_that_of_its_definition),
        cmocka_unit_test(test_consensus_compares_words_not_tokens),
        cmocka_unit_test(test_the_choice_is_that_of_the_whole_language),
        cmocka_unit_test(test_a_single_caption_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

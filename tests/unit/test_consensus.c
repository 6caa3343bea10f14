/* The choice of minimum Bayes risk against its definition, written down once more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/consensus.h"

enum { N_TOKENS = 10, END = LIMN_TOKEN_END, MAX_WORDS = 8, MAX_CAPTIONS = 12, N_PICTURES = 30 };

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

/* ---- CIDEr-D, as its definition reads ----------------------------------------------------- */

static bool has_at(const sentence *s, size_t at, const uint32_t *ngram, size_t n)
{
    return at + n <= s->n && memcmp(s->words + at, ngram, n * sizeof *ngram) == 0;
}

static size_t count(const sentence *s, const uint32_t *ngram, size_t n)
{
    size_t times = 0;
    for (size_t i = 0; i < s->n; i++)
        times += has_at(s, i, ngram, n);
    return times;
}

static bool is_first(const sentence *s, size_t at, size_t n)
{
    for (size_t i = 0; i < at; i++)
        if (has_at(s, i, s->words + at, n))
            return false;
    return true;
}

static double weight(const sentence *s, const uint32_t *ngram, size_t n, const sentence *references)
{
    size_t n_pictures = 0;
    for (size_t i = 0; i < N_PICTURES; i++)
        n_pictures += count(&references[i], ngram, n) > 0;
    return (double)count(s, ngram, n) *
           log((double)N_PICTURES / (n_pictures > 1 ? (double)n_pictures : 1));
}

static double norm(const sentence *s, size_t n, const sentence *references)
{
    double sum = 0;
    for (size_t i = 0; i + n <= s->n; i++)
        if (is_first(s, i, n))
            sum += pow(weight(s, s->words + i, n, references), 2);
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

/* ---- the test ----------------------------------------------------------------------------- */

static limn_document_frequencies *count_references(const sentence *references)
{
    limn_ngram_counts counts = { 0 };
    limn_document_frequencies *f;
    limn_cider_df *df;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    for (size_t i = 0; i < N_PICTURES; i++) {
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

static void test_consensus_is_that_of_its_definition(void **state)
{
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, texts, N_TOKENS, NULL), LIMN_OK);
    for (uint64_t seed = 0; seed < 150; seed++) {
        limn_rng rng = limn_rng_stream(seed, "consensus", 9);
        sentence references[N_PICTURES], captions[MAX_CAPTIONS];
        limn_hypothesis h[MAX_CAPTIONS];
        limn_consensus *c;
        const bool are_samples = seed % 2;
        const size_t n = 2 + limn_rng_below(&rng, MAX_CAPTIONS - 1);
        double expected[MAX_CAPTIONS];
        for (size_t i = 0; i < N_PICTURES; i++)
            references[i] = draw_sentence(&rng);
        limn_document_frequencies *f = count_references(references);
        for (size_t i = 0; i < n; i++) {
            captions[i] = draw_sentence(&rng);
            h[i] = (limn_hypothesis){ .n_drawn = 1 + (uint32_t)limn_rng_below(&rng, 4),
                                      .logprob = -8 * limn_rng_uniform(&rng),
                                      .is_finished = limn_rng_below(&rng, 5) > 0 };
            captions[i].words[captions[i].n] = END;
            h[i].tokens = captions[i].words;
            h[i].n_tokens = captions[i].n + h[i].is_finished;
            h[i].state = i;
        }
        for (size_t i = 0; i < n; i++)
            expected[i] = consensus_of(captions, h, n, i, are_samples, references);
        assert_int_equal(
            limn_consensus_create(&c, MAX_CAPTIONS, MAX_WORDS + 1, f, vocab, NULL), LIMN_OK);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(limn_consensus_rank(c, h, n, are_samples, NULL), LIMN_OK);
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs(h[i].score - expected[h[i].state]) < 1e-5);
                assert_true(i == 0 || h[i].score <= h[i - 1].score);
            }
        }
        limn_consensus_destroy(&c);
        limn_document_frequencies_destroy(&f);
    }
    limn_vocab_destroy(&vocab);
}

static void test_a_single_caption_stays_as_it_is(void **state)
{
    uint32_t words[] = { 4, 5, END };
    sentence references[N_PICTURES] = { { { 4, 5 }, 2 } };
    limn_hypothesis h = { .tokens = words, .n_tokens = 3, .is_finished = true, .n_drawn = 1,
                          .score = -3 };
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
        cmocka_unit_test(test_a_single_caption_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Scores of a whole corpus at once are those of its images one by one, to the last bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/metrics/cider.h"
#include "common/metrics/corpus_scores.h"
#include "tests/unit/wrapped_allocations.h"

enum { MAX_IMAGES = 60, MAX_REFS = 5, MAX_WORDS = 40 };

/* Sentences of few different words, so that n-grams repeat; some are empty. */
typedef struct corpus {
    size_t n_images, n_refs[MAX_IMAGES], n_sentences;
    limn_sentence sentences[MAX_IMAGES * (1 + MAX_REFS)];
    uint32_t words[MAX_IMAGES * (1 + MAX_REFS)][MAX_WORDS];
} corpus;

static void fill(corpus *c, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "corpus", 6);
    const uint64_t n_words = 1 + limn_rng_below(&rng, 30),
                   longest = limn_rng_below(&rng, MAX_WORDS);
    c->n_sentences = 0;
    c->n_images = 1 + limn_rng_below(&rng, MAX_IMAGES);
    for (size_t i = 0; i < c->n_images; i++) {
        c->n_refs[i] = 1 + limn_rng_below(&rng, MAX_REFS);
        for (size_t k = 0; k <= c->n_refs[i]; k++) {
            uint32_t *words = c->words[c->n_sentences];
            const size_t n = limn_rng_below(&rng, longest + 1);
            for (size_t j = 0; j < n; j++) words[j] = (uint32_t)limn_rng_below(&rng, n_words);
            c->sentences[c->n_sentences++] = (limn_sentence){ words, n };
        }
    }
}

static void score_one_by_one(limn_bleu_stats *bleu, double *cider, const corpus *c)
{
    limn_ngram_counts_list counts = { 0 };
    limn_cider_scorer scorer = { 0 };
    limn_cider_df *df;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    assert_int_equal(limn_ngram_counts_list_fill(&counts, c->sentences, c->n_sentences, NULL),
                     LIMN_OK);
    const limn_ngram_counts *one = counts.items;
    for (size_t i = 0; i < c->n_images; one += 1 + c->n_refs[i++])
        assert_int_equal(limn_cider_df_add(df, one + 1, c->n_refs[i], NULL), LIMN_OK);
    one = counts.items;
    for (size_t i = 0; i < c->n_images; one += 1 + c->n_refs[i++]) {
        bleu[i] = limn_bleu_count(one, one + 1, c->n_refs[i]);
        assert_int_equal(limn_cider_score(&cider[i], &scorer, df, LIMN_CIDER_D, one, one + 1,
                                          c->n_refs[i], NULL),
                         LIMN_OK);
    }
    limn_ngram_counts_list_finish(&counts);
    limn_cider_scorer_finish(&scorer);
    limn_cider_df_destroy(&df);
}

static limn_status score_together(limn_bleu_stats *bleu, double *cider, const corpus *c,
                                  limn_error *err)
{
    limn_corpus_ngrams ngrams = { 0 };
    limn_status s = LIMN_OK;
    for (size_t i = 0; s == LIMN_OK && i < c->n_sentences; i++)
        s = limn_corpus_ngrams_add(&ngrams, c->sentences[i], err);
    if (s == LIMN_OK) s = limn_corpus_scores(bleu, cider, &ngrams, c->n_refs, c->n_images, err);
    limn_corpus_ngrams_finish(&ngrams);
    return s;
}

static void test_scores_are_those_of_single_images(void **state)
{
    static corpus c;
    static limn_bleu_stats bleu[2][MAX_IMAGES];
    static double cider[2][MAX_IMAGES];
    double sum = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        fill(&c, seed);
        score_one_by_one(bleu[0], cider[0], &c);
        assert_int_equal(score_together(bleu[1], cider[1], &c, NULL), LIMN_OK);
        assert_memory_equal(bleu[0], bleu[1], c.n_images * sizeof **bleu);
        assert_memory_equal(cider[0], cider[1], c.n_images * sizeof **cider);
        for (size_t i = 0; i < c.n_images; i++) sum += cider[1][i];
    }
    assert_true(sum > 100);
}

static void test_one_of_the_two_alone(void **state)
{
    static corpus c;
    static limn_bleu_stats bleu[2][MAX_IMAGES];
    static double cider[2][MAX_IMAGES];
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        fill(&c, seed);
        score_one_by_one(bleu[0], cider[0], &c);
        assert_int_equal(score_together(bleu[1], NULL, &c, NULL), LIMN_OK);
        assert_int_equal(score_together(NULL, cider[1], &c, NULL), LIMN_OK);
        assert_memory_equal(bleu[0], bleu[1], c.n_images * sizeof **bleu);
        assert_memory_equal(cider[0], cider[1], c.n_images * sizeof **cider);
    }
}

static void test_each_failing_allocation_is_reported(void **state)
{
    static corpus c;
    static limn_bleu_stats bleu[MAX_IMAGES];
    static double cider[MAX_IMAGES];
    size_t n_failures = 0;
    limn_status status = LIMN_E_NOMEM;
    (void)state;
    fill(&c, 1);
    while (status != LIMN_OK) {
        limn_error err = { 0 };
        n_until_failure = n_failures;
        status = score_together(bleu, cider, &c, &err);
        n_until_failure = SIZE_MAX;
        assert_true(status == LIMN_OK || (status == LIMN_E_NOMEM && err.text[0] != '\0'));
        n_failures += status != LIMN_OK;
    }
    assert_true(n_failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_are_those_of_single_images),
        cmocka_unit_test(test_one_of_the_two_alone),
        cmocka_unit_test(test_each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

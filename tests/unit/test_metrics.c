#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/metrics/bleu.h"
#include "common/metrics/cider.h"
#include "common/metrics/diversity.h"
#include "common/metrics/rouge.h"
#include "tests/unit/wrapped_allocations.h"

/* a b c d e / a b c f / b c d */
static const uint32_t words[] = { 0, 1, 2, 3, 4, 0, 1, 2, 5, 1, 2, 3 };
static const limn_sentence sentences[] = { { words, 5 }, { words + 5, 4 }, { words + 9, 3 } };

static limn_cider_df *make_df(void)
{
    limn_ngram_counts_list counts = { 0 };
    limn_cider_df *df;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    assert_int_equal(limn_ngram_counts_list_fill(&counts, sentences, 3, NULL), LIMN_OK);
    assert_int_equal(limn_cider_df_add(df, counts.items, 2, NULL), LIMN_OK);
    assert_int_equal(limn_cider_df_add(df, counts.items + 2, 1, NULL), LIMN_OK);
    limn_ngram_counts_list_finish(&counts);
    return df;
}

static void test_frequencies_count_images_not_sentences(void **state)
{
    limn_cider_df *df = make_df();
    const limn_ngram_table *table = limn_cider_df_ngrams(df);
    const limn_ngram b_c = { { 1, 2, LIMN_NO_WORD, LIMN_NO_WORD } };
    const limn_ngram a_b = { { 0, 1, LIMN_NO_WORD, LIMN_NO_WORD } };
    (void)state;
    assert_int_equal(limn_cider_df_n_images(df), 2);
    assert_int_equal(limn_ngram_table_find(table, &b_c)->count, 2);
    assert_int_equal(limn_ngram_table_find(table, &a_b)->count, 1); /* twice in one image */
    limn_cider_df_destroy(&df);
    assert_null(df);
    limn_cider_df_destroy(&df);
}

static void test_rewards_allocate_nothing_once_grown(void **state)
{
    limn_cider_df *df = make_df();
    limn_cider_scorer scorer = { 0 };
    limn_ngram_counts hyp = { 0 };
    limn_ngram_counts_list refs = { 0 };
    limn_rouge rouge = { 0 };
    double first = 0, reward, f;
    size_t before = 0;
    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(limn_ngram_counts_fill(&hyp, sentences[0], NULL), LIMN_OK);
        assert_int_equal(limn_ngram_counts_list_fill(&refs, sentences + 1, 2, NULL), LIMN_OK);
        assert_int_equal(
            limn_cider_score(&reward, &scorer, df, LIMN_CIDER_D, &hyp, refs.items, 2, NULL),
            LIMN_OK);
        limn_bleu_count(&hyp, refs.items, 2);
        assert_int_equal(limn_rouge_l(&f, &rouge, sentences[0], sentences + 1, 2, NULL), LIMN_OK);
        if (round == 0) first = reward;
        assert_true(reward == first && reward > 0);
        before = round == 0 ? n_allocations : before;
    }
    assert_int_equal(n_allocations, before);
    limn_ngram_counts_finish(&hyp);
    limn_ngram_counts_list_finish(&refs);
    limn_cider_scorer_finish(&scorer);
    limn_rouge_finish(&rouge);
    limn_cider_df_destroy(&df);
}

/* Everything that allocates, once. */
static limn_status score_once(limn_error *err)
{
    limn_cider_df *df = NULL;
    limn_cider_scorer scorer = { 0 };
    limn_ngram_counts_list counts = { 0 };
    limn_rouge rouge = { 0 };
    double score, div[2];
    limn_status status = limn_cider_df_create(&df, err);
    if (status == LIMN_OK) status = limn_ngram_counts_list_fill(&counts, sentences, 3, err);
    if (status == LIMN_OK) status = limn_cider_df_add(df, counts.items, 3, err);
    if (status == LIMN_OK)
        status = limn_cider_score(&score, &scorer, df, LIMN_CIDER_D, counts.items, counts.items + 1,
                                  2, err);
    if (status == LIMN_OK) status = limn_self_cider(&score, df, counts.items, 3, err);
    if (status == LIMN_OK)
        status = limn_rouge_l(&score, &rouge, sentences[0], sentences + 1, 2, err);
    if (status == LIMN_OK) status = limn_div_n(div, sentences, 3, err);
    limn_ngram_counts_list_finish(&counts);
    limn_cider_scorer_finish(&scorer);
    limn_rouge_finish(&rouge);
    limn_cider_df_destroy(&df);
    return status;
}

static void test_each_failing_allocation_is_reported(void **state)
{
    size_t n_failures = 0;
    limn_status status = LIMN_E_NOMEM;
    (void)state;
    while (status != LIMN_OK) {
        limn_error err = { 0 };
        n_until_failure = n_failures;
        status = score_once(&err);
        n_until_failure = SIZE_MAX;
        assert_true(status == LIMN_OK || (status == LIMN_E_NOMEM && err.text[0] != '\0'));
        n_failures += status != LIMN_OK;
    }
    assert_true(n_failures > 10);
}

static void test_bleu_adds_up(void **state)
{
    limn_ngram_counts_list counts = { 0 };
    double scores[LIMN_NGRAM_MAX_ORDER];
    (void)state;
    assert_int_equal(limn_ngram_counts_list_fill(&counts, sentences, 3, NULL), LIMN_OK);
    /* a b c f against a b c d e: 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, 0 of 1. */
    limn_bleu_stats sum = limn_bleu_count(&counts.items[1], &counts.items[0], 1);
    assert_true(sum.correct[0] == 3 && sum.correct[1] == 2 && sum.correct[2] == 1);
    assert_true(sum.correct[3] == 0 && sum.guess[3] == 1);
    assert_true(sum.test_length == 4 && sum.reference_length == 5);
    /* The reference of 3 words is as close to 4 as the one of 5, and shorter. */
    const limn_bleu_stats other = limn_bleu_count(&counts.items[1], counts.items, 3);
    assert_true(other.reference_length == 4);
    limn_bleu_add(&sum, &other);
    assert_true(sum.test_length == 8 && sum.reference_length == 9 && sum.correct[0] == 7);
    limn_bleu_score(scores, &sum);
    for (size_t n = 1; n < LIMN_NGRAM_MAX_ORDER; n++) assert_true(scores[n] < scores[n - 1]);
    limn_ngram_counts_list_finish(&counts);
}

static void test_div_n(void **state)
{
    double div[2];
    (void)state;
    assert_int_equal(limn_div_n(div, sentences, 3, NULL), LIMN_OK);
    assert_true(div[0] == 6.0 / 12 && div[1] == 5.0 / 12);
    assert_int_equal(limn_div_n(div, NULL, 0, NULL), LIMN_OK);
    assert_true(div[0] == 0 && div[1] == 0);
}

/* Sets of k equal sentences have a matrix of ones: one root, spread 0. Sets without a common word
 * have the unit matrix: equal roots, spread 1. */
static void test_self_cider(void **state)
{
    enum { N = 5 };
    static const uint32_t different[N * 4] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                               10, 11, 12, 13, 14, 15, 16, 17, 18, 19 };
    limn_ngram_counts_list counts = { 0 };
    limn_sentence set[N];
    limn_cider_df *df = make_df();
    double value;
    (void)state;
    for (size_t i = 0; i < N; i++) set[i] = (limn_sentence){ different + 4 * i, 4 };
    assert_int_equal(limn_ngram_counts_list_fill(&counts, set, N, NULL), LIMN_OK);
    assert_int_equal(limn_self_cider(&value, df, counts.items, N, NULL), LIMN_OK);
    assert_true(value > 1 - 1e-9 && value < 1 + 1e-9);
    for (size_t i = 0; i < N; i++) set[i] = (limn_sentence){ different + 4, 4 };
    assert_int_equal(limn_ngram_counts_list_fill(&counts, set, N, NULL), LIMN_OK);
    assert_int_equal(limn_self_cider(&value, df, counts.items, N, NULL), LIMN_OK);
    assert_true(value >= 0 && value < 1e-6);
    /* Two equal sentences and one that shares no word with them: eigenvalues 2, 1, 0. */
    set[2] = (limn_sentence){ different, 4 };
    assert_int_equal(limn_ngram_counts_list_fill(&counts, set, 3, NULL), LIMN_OK);
    assert_int_equal(limn_self_cider(&value, df, counts.items, 3, NULL), LIMN_OK);
    assert_true(fabs(value - log(1 + 1 / sqrt(2)) / log(3)) < 1e-9);
    assert_int_equal(limn_self_cider(&value, df, counts.items, 1, NULL), LIMN_E_ARG);
    limn_ngram_counts_list_finish(&counts);
    limn_cider_df_destroy(&df);
}

static void test_endings(void **state)
{
    (void)state;
    assert_true(limn_is_bad_ending("the", 3));
    assert_true(limn_is_bad_ending("with", 4));
    assert_false(limn_is_bad_ending("then", 4));
    assert_false(limn_is_bad_ending("th", 2));
    assert_false(limn_is_bad_ending("grass", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequencies_count_images_not_sentences),
        cmocka_unit_test(test_rewards_allocate_nothing_once_grown),
        cmocka_unit_test(test_each_failing_allocation_is_reported),
        cmocka_unit_test(test_bleu_adds_up),
        cmocka_unit_test(test_div_n),
        cmocka_unit_test(test_self_cider),
        cmocka_unit_test(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

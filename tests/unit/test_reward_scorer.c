/* Rewards of captions, with values computed by hand: CIDEr-D with end tokens, with the document
 * frequencies of extra text, the retrieval loss, and the objects and people that are named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/train/ended_captions.h"
#include "models/train/reward_scorer.h"
#include "tests/fixtures/own_tokens.h"

enum { A = 4, BOOK, MAN, DOG, CAT, CROWD, N_TOKENS };
enum { N_IMAGES = 3, N_SAMPLES = 3, MAX_STEPS = 4 };

static const char *const words[N_TOKENS] = { "<pad>", "<s>", "</s>", "<unk>", "a",
                                             "book",  "man", "dog",  "cat",   "crowd" };
/* "a book", "man dog", "cat crowd": references of three images. */
static const uint32_t reference_tokens[] = { A, BOOK, MAN, DOG, CAT, CROWD };
static const size_t reference_offsets[] = { 0, 2, 4, 6 }, first_references[] = { 0, 1, 2, 3 };
static const limn_references references = { reference_tokens, reference_offsets, first_references,
                                            N_IMAGES, TOKEN_END };
/* "a": one more document. */
static const uint32_t text_tokens[] = { A };
static const size_t text_offsets[] = { 0, 1 }, first_texts[] = { 0, 1 };
static const limn_references text = { text_tokens, text_offsets, first_texts, 1, TOKEN_END };

/* Captions of the first image: its own reference, a mixture with the second image's, and the
 * second's. */
static const uint32_t of_first[N_SAMPLES * MAX_STEPS] = { A,   BOOK, TOKEN_END, 0,
                                                          A,   DOG,  TOKEN_END, 0,
                                                          MAN, DOG,  TOKEN_END, 0 };
static const uint32_t of_second[N_SAMPLES * MAX_STEPS] = {
    A, 0, 0, 0, DOG, CAT, 0, 0, A, MAN, 0, 0
};
static const uint32_t of_third[N_SAMPLES * MAX_STEPS] = { A,   0,    0,   0,     CAT, DOG,
                                                          MAN, BOOK, CAT, CROWD, 0,   0 };
static const size_t lengths[N_IMAGES][N_SAMPLES] = { { 3, 3, 3 }, { 1, 2, 2 }, { 1, 4, 2 } };
static const uint32_t *const samples[N_IMAGES] = { of_first, of_second, of_third };

static limn_reward_scorer *scorer_of(limn_reward_weights weights, const limn_references *more,
                                     const limn_vocab *vocab)
{
    const limn_reward_scorer_settings settings = { .references = &references,
                                                   .text = more,
                                                   .vocab = vocab,
                                                   .weights = weights,
                                                   .max_images = N_IMAGES,
                                                   .n_samples = N_SAMPLES,
                                                   .max_steps = MAX_STEPS };
    limn_reward_scorer *s;
    assert_int_equal(limn_reward_scorer_create(&s, &settings, NULL), LIMN_OK);
    for (uint32_t i = 0; i < N_IMAGES; i++)
        assert_int_equal(limn_reward_scorer_read(s, i, i, samples[i], lengths[i]), LIMN_OK);
    return s;
}

static void check(limn_reward_weights weights, const limn_references *more, const limn_vocab *vocab,
                  size_t image, const double *expected)
{
    limn_reward_scorer *s = scorer_of(weights, more, vocab);
    double rewards[N_SAMPLES];
    limn_reward_scorer_score(s, rewards, image, N_IMAGES);
    for (size_t i = 0; i < N_SAMPLES; i++) assert_float_equal(rewards[i], expected[i], 1e-12);
    limn_reward_scorer_destroy(&s);
}

/* All words but the end have the same weight, the end has none. The reference itself has all
 * n-grams up to three: 10 * 3 / 4. "a dog" has one of the two words that count and none of the
 * longer n-grams: 10 * (1/2) / 4. */
static void test_captions_are_worth_their_cider(void **state)
{
    static const double expected[] = { 7.5, 1.25, 0 };
    (void)state;
    check((limn_reward_weights){ 0 }, NULL, NULL, 0, expected);
}

/* s(first) 7.5, 1.25, 0; s(second): "a dog" has one of two words and one of two pairs, 10 * (1/2 +
 * 1/2) / 4, and "man dog" has 7.5. No caption fits the third image. Shortfalls from a margin of 1:
 * 0, 1 + 2.5 - 1.25, 1 + 7.5 - 0. */
static void test_captions_that_fit_other_images_are_worth_less(void **state)
{
    static const double expected[] = { 7.5, 1.25 - 0.5 * 2.25, 0 - 0.5 * 8.5 };
    (void)state;
    check((limn_reward_weights){ .retrieval = 0.5F }, NULL, NULL, 0, expected);
}

/* The same image twice in a batch is no rival to itself, and neither are images outside the
 * batch. */
static void test_an_image_is_not_its_own_rival(void **state)
{
    limn_reward_scorer *s = scorer_of((limn_reward_weights){ .retrieval = 0.5F }, NULL, NULL);
    double rewards[N_SAMPLES];
    (void)state;
    limn_reward_scorer_score(s, rewards, 0, 1);
    assert_float_equal(rewards[2], 0, 1e-12);
    assert_int_equal(limn_reward_scorer_read(s, 1, 0, of_first, lengths[0]), LIMN_OK);
    limn_reward_scorer_score(s, rewards, 0, 2);
    assert_float_equal(rewards[0], 7.5, 1e-12);
    assert_float_equal(rewards[2], 0, 1e-12);
    limn_reward_scorer_destroy(&s);
}

/* Four documents: "a" is in two of them, the end in all, everything else in one. In units of log 2,
 * "a" weighs 1 and "book" 2, so "a dog" has 1 / (sqrt 5 * sqrt 5) of the first image's words. */
static void test_words_frequent_in_text_are_worth_less(void **state)
{
    static const double expected[] = { 7.5, 10 * (1.0 / 5) / 4, 0 };
    const limn_ngram a = { { A, LIMN_NO_WORD, LIMN_NO_WORD, LIMN_NO_WORD } };
    limn_cider_df *df;
    (void)state;
    check((limn_reward_weights){ 0 }, &text, NULL, 0, expected);
    assert_int_equal(limn_ended_captions_count(&df, &references, &text, NULL), LIMN_OK);
    assert_int_equal(limn_cider_df_n_images(df), 4);
    assert_int_equal(limn_ngram_table_find(limn_cider_df_ngrams(df), &a)->count, 2);
    limn_cider_df_destroy(&df);
}

static double cider_of(size_t image, size_t sample)
{
    limn_reward_scorer *s = scorer_of((limn_reward_weights){ 0 }, NULL, NULL);
    double rewards[N_SAMPLES];
    limn_reward_scorer_score(s, rewards, image, N_IMAGES);
    limn_reward_scorer_destroy(&s);
    return rewards[sample];
}

/* Second image, a man and a dog: "a" names nothing, so both F1 are 0; "dog cat" adds a false
 * object: 2 * 1 / (2 + 1); "a man" names only people. Third image, a cat and a crowd: "a" names
 * nothing; "cat dog man book" gets 2 * 1 / (3 + 1), and names people, as the crowd is; the
 * reference names both. */
static void test_objects_and_people_have_an_f1(void **state)
{
    static const double objects[][N_SAMPLES] = { { 1, 0, 0 }, { 0, 2.0 / 3, 0 }, { 0, 0.5, 1 } };
    static const double people[][N_SAMPLES] = { { 1, 1, 0 }, { 0, 0, 1 }, { 0, 1, 1 } };
    static const double n_false[][N_SAMPLES] = { { 0, 1, 2 }, { 0, 1, 0 }, { 0, 2, 0 } };
    const limn_reward_weights weights = { .object_cost = 0.25F, .object_f1 = 2, .person_f1 = 0.5F };
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, words, N_TOKENS, NULL), LIMN_OK);
    for (size_t image = 0; image < N_IMAGES; image++) {
        double expected[N_SAMPLES];
        for (size_t i = 0; i < N_SAMPLES; i++)
            expected[i] = cider_of(image, i) + 2 * objects[image][i] + 0.5 * people[image][i] -
                          0.25 * n_false[image][i];
        check(weights, NULL, vocab, image, expected);
    }
    limn_vocab_destroy(&vocab);
}

/* One image, "a dog a" and "dog dog dog": of the samples, "a a dog" repeats no more than the first
 * does, "a a a dog" has one "a" too many, "cat cat cat" two cats that nobody has. */
static void test_words_that_repeat_cost(void **state)
{
    static const uint32_t tokens[] = { A, DOG, A, DOG, DOG, DOG };
    static const size_t offsets[] = { 0, 3, 6 }, first[] = { 0, 2 };
    static const limn_references repeating = { tokens, offsets, first, 1, TOKEN_END };
    static const uint32_t drawn[N_SAMPLES * MAX_STEPS] = { A, A,   DOG, TOKEN_END, A,   A,
                                                           A, DOG, CAT, CAT,       CAT, TOKEN_END };
    static const size_t sizes[N_SAMPLES] = { 4, 4, 4 };
    static const double n_repeats[N_SAMPLES] = { 0, 1, 2 };
    limn_reward_scorer_settings settings = {
        .references = &repeating, .max_images = 1, .n_samples = N_SAMPLES, .max_steps = MAX_STEPS
    };
    double plain[N_SAMPLES], rewards[N_SAMPLES];
    (void)state;
    for (int costs = 0; costs < 2; costs++) {
        limn_reward_scorer *s;
        settings.weights.repeat_cost = costs ? 0.5F : 0;
        assert_int_equal(limn_reward_scorer_create(&s, &settings, NULL), LIMN_OK);
        assert_int_equal(limn_reward_scorer_read(s, 0, 0, drawn, sizes), LIMN_OK);
        limn_reward_scorer_score(s, costs ? rewards : plain, 0, 1);
        limn_reward_scorer_destroy(&s);
    }
    for (size_t i = 0; i < N_SAMPLES; i++)
        assert_float_equal(rewards[i], plain[i] - 0.5 * n_repeats[i], 1e-12);
}

/* What words that no reference has take from the rewards of an image's samples "a book cat",
 * "dog dog" and "man a dog" at a cost of 1. */
static void unsupported_costs(double *costs, const limn_references *of, const limn_vocab *vocab)
{
    static const uint32_t drawn[N_SAMPLES * MAX_STEPS] = { A,   BOOK, CAT,       TOKEN_END,
                                                           DOG, DOG,  TOKEN_END, 0,
                                                           MAN, A,    DOG,       TOKEN_END };
    static const size_t sizes[N_SAMPLES] = { 4, 3, 4 };
    limn_reward_scorer_settings settings = { .references = of,
                                             .vocab = vocab,
                                             .max_images = 1,
                                             .n_samples = N_SAMPLES,
                                             .max_steps = MAX_STEPS };
    double rewards[2][N_SAMPLES];
    for (int cost = 0; cost < 2; cost++) {
        limn_reward_scorer *s;
        settings.weights.unsupported_cost = (float)cost;
        assert_int_equal(limn_reward_scorer_create(&s, &settings, NULL), LIMN_OK);
        assert_int_equal(limn_reward_scorer_read(s, 0, 0, drawn, sizes), LIMN_OK);
        limn_reward_scorer_score(s, rewards[cost], 0, 1);
        limn_reward_scorer_destroy(&s);
    }
    for (size_t i = 0; i < N_SAMPLES; i++) costs[i] = rewards[0][i] - rewards[1][i];
}

/* "cat" is in a reference of the image, and "a" is a function word; "man" and "dog", though it is
 * there twice, cost 1 each where there are five references or more, and two fifths with two. */
static void test_words_of_no_reference_cost(void **state)
{
    static const uint32_t tokens[] = { BOOK, BOOK, CAT, BOOK, BOOK, BOOK, BOOK };
    static const size_t offsets[] = { 0, 1, 3, 4, 5, 6, 7 }, two[] = { 0, 2, 3 }, six[] = { 0, 6 };
    static const limn_references few = { tokens, offsets, two, 2, TOKEN_END };
    static const limn_references many = { tokens, offsets, six, 1, TOKEN_END };
    double costs[N_SAMPLES];
    limn_vocab *vocab;
    (void)state;
    assert_int_equal(limn_vocab_create(&vocab, words, N_TOKENS, NULL), LIMN_OK);
    unsupported_costs(costs, &few, vocab);
    for (int i = 0; i < N_SAMPLES; i++) assert_float_equal(costs[i], i * 2.0 / 5, 1e-12);
    unsupported_costs(costs, &many, vocab);
    for (int i = 0; i < N_SAMPLES; i++) assert_float_equal(costs[i], i, 1e-12);
    limn_vocab_destroy(&vocab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_are_worth_their_cider),
        cmocka_unit_test(test_captions_that_fit_other_images_are_worth_less),
        cmocka_unit_test(test_an_image_is_not_its_own_rival),
        cmocka_unit_test(test_words_frequent_in_text_are_worth_less),
        cmocka_unit_test(test_objects_and_people_have_an_f1),
        cmocka_unit_test(test_words_that_repeat_cost),
        cmocka_unit_test(test_words_of_no_reference_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

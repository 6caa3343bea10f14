/* Pairing images that have no captions with captions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "models/train/pairing.h"
#include "models/train/pool_captions.h"
#include "tests/unit/temp_folder.h"

static const char *const captions[] = {
    /* 0 */ "a dog on a couch",
    /* 1 */ "a dog",
    /* 2 */ "a man with a dog",
    /* 3 */ "two dogs on a couch",
    /* 4 */ "a cat on a couch",
    /* 5 */ "the sea",
    /* 6 */ "a crowd of people",
    /* 7 */ "a hand holding a hot dog",
    /* 8 */ "a hot dog",
    /* 9 */ "three dogs and a couch",
};
enum { N_CAPTIONS = sizeof captions / sizeof *captions };

static limn_object_labels labels;

static void read_labels(const char *text)
{
    limn_object_labels_finish(&labels);
    assert_int_equal(limn_file_replace(temp_path("objects.tsv"), text, strlen(text), NULL),
                     LIMN_OK);
    assert_int_equal(limn_object_labels_read(&labels, temp_path("objects.tsv"), NULL), LIMN_OK);
}

static limn_pairing *pair(const limn_pairing_settings *settings)
{
    const limn_pairing_settings standard = limn_pairing_settings_default();
    limn_pairing *p;
    assert_int_equal(limn_pairing_create(&p, &labels, NULL, labels.n_images, captions, N_CAPTIONS,
                                         settings ? settings : &standard, NULL),
                     LIMN_OK);
    return p;
}

/* Bit i: caption i is a candidate. */
static unsigned candidates_of(const limn_pairing *p, size_t image)
{
    size_t n;
    const uint32_t *candidates = limn_pairing_candidates(&n, p, image);
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) bits |= 1U << candidates[i];
    return bits;
}

static void test_what_fits(void **state)
{
    limn_pairing *p;
    limn_pairing_summary s;
    (void)state;
    read_labels("one\tdog:0.7 couch:0.5\n"
                "three\tdog:0.7 dog:0.6 dog:0.5 couch:0.5\n"
                "unsure of people\tdog:0.7 person:0.4\n"
                "people\tdog:0.7 person:0.5\n"
                "food\thot_dog:0.6\n"
                "nothing\t\n"
                "below the smallest score\tdog:0.29\n"
                "no caption\tclock:0.9\n");
    p = pair(NULL);
    assert_int_equal(candidates_of(p, 0), 1 << 0 | 1 << 1);
    assert_int_equal(candidates_of(p, 1), 1 << 0 | 1 << 1 | 1 << 3 | 1 << 9);
    assert_int_equal(candidates_of(p, 2), 1 << 1);
    assert_int_equal(candidates_of(p, 3), 1 << 1 | 1 << 2);
    assert_int_equal(candidates_of(p, 4), 1 << 8);
    for (size_t i = 5; i < 8; i++) {
        assert_int_equal(candidates_of(p, i), 0);
        assert_int_equal(limn_pairing_n_repeats(p, 0, i), 0);
    }
    s = limn_pairing_summarize(p);
    assert_int_equal(s.n_images, 5);
    assert_int_equal(s.n_without_object, 2);
    assert_int_equal(s.n_without_caption, 1);
    assert_int_equal(s.n_captions, 6);
    limn_pairing_destroy(&p);
    assert_null(p);
}

static void test_best_are_kept(void **state)
{
    limn_pairing_settings settings = limn_pairing_settings_default();
    limn_pairing *p;
    size_t n;
    (void)state;
    read_labels(
        "a\tdog:0.7 couch:0.6\nb\tcat:0.7\nc\tcat:0.7\nd\tclock:0.7\ne\tdog:0.7 couch:0.31\n");
    settings.n_candidates = 1;
    p = pair(&settings);
    /* The caption with the couch goes where the couch is certain. Where it is doubtful, naming it
     * gains little, and the caption is better used elsewhere. */
    assert_int_equal(*limn_pairing_candidates(&n, p, 0), 0);
    assert_int_equal(n, 1);
    limn_pairing_destroy(&p);
}

/* A detail is something that few captions of the object mention. */
static void test_details(void **state)
{
    static const char *const pool[] = { "a dog runs", "a dog runs", "a dog runs", "a dog named rex",
                                        "rex runs" };
    limn_pool_caption out[5];
    (void)state;
    assert_int_equal(limn_pool_captions_read(out, pool, 5, 0.5F, NULL), LIMN_OK);
    assert_true(out[0].details == 0);
    /* "named" and "rex" are in one of the four captions that name a dog */
    assert_true(fabs((double)out[3].details - 2 * log(0.5 / 0.25)) < 1e-6);
    assert_true(out[4].details == 0);
}

static void test_numbers(void **state)
{
    static const char *const pool[] = {
        "a dog",          "two dogs", "a couple of dogs", "three or two dogs",
        "a herd of cows", "groups",   "twofold",          "many"
    };
    static const uint8_t expected[] = { 1, 2, 2, 3, 3, 3, 1, 3 };
    limn_pool_caption out[8];
    (void)state;
    assert_int_equal(limn_pool_captions_read(out, pool, 8, 0.5F, NULL), LIMN_OK);
    for (size_t i = 0; i < 8; i++) assert_int_equal(out[i].number, expected[i]);
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* One photo, ten candidates of equal weight. */
static limn_pairing *ten_equal(uint64_t seed, const char *text)
{
    static const char *const pool[] = { "dog a", "dog b", "dog c", "dog d", "dog e",
                                        "dog f", "dog g", "dog h", "dog i", "dog j" };
    limn_pairing_settings settings = limn_pairing_settings_default();
    limn_pairing *p;
    settings.seed = seed;
    read_labels(text);
    assert_int_equal(
        limn_pairing_create(&p, &labels, NULL, labels.n_images, pool, 10, &settings, NULL),
        LIMN_OK);
    return p;
}

static void test_draws_are_even_and_without_repetition(void **state)
{
    enum { N_EPOCHS = 10000, K = 3 };
    limn_pairing *p = ten_equal(1, "a\tdog:0.7\n");
    size_t counts[10] = { 0 };
    (void)state;
    for (uint64_t epoch = 0; epoch < N_EPOCHS; epoch++) {
        uint32_t out[K];
        assert_int_equal(limn_pairing_draw(out, p, epoch, 0, 0, K), K);
        assert_true(out[0] != out[1] && out[0] != out[2] && out[1] != out[2]);
        for (size_t i = 0; i < K; i++) counts[out[i]]++;
    }
    /* expected 3000, standard deviation 46 */
    for (size_t i = 0; i < 10; i++) assert_in_range(counts[i], 2770, 3230);
    limn_pairing_destroy(&p);
}

static void test_draws_depend_on_seed_name_epoch_and_repeat_alone(void **state)
{
    limn_pairing *p = ten_equal(1, "a\tdog:0.7\n"), *q, *other_seed;
    uint32_t a[5], b[5];
    (void)state;
    q = ten_equal(1, "z\tdog:0.7\na\tdog:0.7\n");
    other_seed = ten_equal(2, "a\tdog:0.7\n");
    limn_pairing_draw(a, p, 7, 0, 1, 5);
    limn_pairing_draw(b, q, 7, 1, 1, 5);
    assert_memory_equal(a, b, sizeof a);
    limn_pairing_draw(b, q, 7, 0, 1, 5);
    assert_memory_not_equal(a, b, sizeof a);
    limn_pairing_draw(b, p, 8, 0, 1, 5);
    assert_memory_not_equal(a, b, sizeof a);
    limn_pairing_draw(b, p, 7, 0, 0, 5);
    assert_memory_not_equal(a, b, sizeof a);
    limn_pairing_draw(b, other_seed, 7, 0, 1, 5);
    assert_memory_not_equal(a, b, sizeof a);
    limn_pairing_destroy(&p);
    limn_pairing_destroy(&q);
    limn_pairing_destroy(&other_seed);
}

static void test_fewer_candidates_than_draws(void **state)
{
    limn_pairing *p = ten_equal(1, "a\tdog:0.7\n");
    uint32_t out[20];
    unsigned bits = 0;
    (void)state;
    assert_int_equal(limn_pairing_draw(out, p, 0, 0, 0, 20), 10);
    for (size_t i = 0; i < 10; i++) bits |= 1U << out[i];
    assert_int_equal(bits, 1023);
    limn_pairing_destroy(&p);
}

static void test_scores(void **state)
{
    const float scores[10] = { 0, 9, 0, 0, 0, 0, 0, NAN, 3, 0 };
    const float useless[10] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, INFINITY, NAN, NAN };
    limn_pairing *p = ten_equal(1, "a\tdog:0.7\n");
    uint32_t out[10];
    size_t n, n_best = 0;
    const uint32_t *candidates = limn_pairing_candidates(&n, p, 0);
    (void)state;
    assert_int_equal(n, 10);
    limn_pairing_set_scores(p, 0, scores, 2);
    assert_true(limn_pairing_scores(p, 0)[8] == 3);
    for (uint64_t epoch = 0; epoch < 1000; epoch++) {
        assert_int_equal(limn_pairing_draw(out, p, epoch, 0, 0, 10), 2);
        assert_true(out[0] == candidates[1] || out[0] == candidates[8]);
        n_best += out[0] == candidates[1];
    }
    assert_in_range(n_best, 985, 1000); /* 1 / (1 + exp(-6)) = 0.9975 */
    assert_int_equal(limn_pairing_heaviest(out, p, 0, 10), 2);
    assert_int_equal(out[0], candidates[1]);
    assert_int_equal(out[1], candidates[8]);
    assert_int_equal(limn_pairing_heaviest(out, p, 0, 1), 1);
    limn_pairing_set_scores(p, 0, scores, 100);
    assert_int_equal(limn_pairing_draw(out, p, 0, 0, 0, 10), 9);
    limn_pairing_set_scores(p, 0, useless, 3);
    assert_int_equal(limn_pairing_draw(out, p, 0, 0, 0, 10), 10);
    limn_pairing_set_scores(p, 0, NULL, 0);
    assert_int_equal(limn_pairing_draw(out, p, 0, 0, 0, 10), 10);
    assert_true(limn_pairing_scores(p, 0)[8] == 0);
    limn_pairing_destroy(&p);
}

/* 100 photos of dogs, one of a cat: the cat's is drawn sqrt(0.2 / (1 / 101)) = 4.49 times. */
static void test_repeats(void **state)
{
    limn_pairing_settings settings = limn_pairing_settings_default();
    char text[4096] = "cat\tcat:0.9 couch:0.4\npeople\tperson:0.9 person:0.8 person:0.7\n";
    limn_pairing *p;
    size_t n_cats = 0, n_people = 0;
    (void)state;
    for (int i = 0; i < 99; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d\tdog:0.9\n", i);
    read_labels(text);
    settings.balance_share = 0.2F;
    settings.max_repeats = 10;
    settings.people_share = 0.25F;
    p = pair(&settings);
    for (uint64_t epoch = 0; epoch < 1000; epoch++) {
        const size_t n = limn_pairing_n_repeats(p, epoch, 0);
        assert_true(n == 4 || n == 5);
        n_cats += n;
        n_people += limn_pairing_n_repeats(p, epoch, 1);
        assert_int_equal(limn_pairing_n_repeats(p, epoch, 2), 1);
    }
    assert_in_range(n_cats, 4430, 4560); /* deviation 16 */
    assert_in_range(n_people, 190, 310); /* deviation 14 */
    limn_pairing_destroy(&p);
}

static void test_bad_settings(void **state)
{
    limn_pairing_settings settings = limn_pairing_settings_default();
    limn_pairing *p;
    limn_error err = { 0 };
    (void)state;
    read_labels("a\tdog:0.7\n");
    settings.min_score = 0.7F;
    assert_int_equal(limn_pairing_create(&p, &labels, NULL, 1, captions, 1, &settings, &err),
                     LIMN_E_ARG);
    assert_string_equal(err.text, "scores 0.7, 0.6, 0.45: expected 0 <= min < sure <= 1");
    assert_null(p);
    settings = limn_pairing_settings_default();
    settings.sharpness = NAN;
    assert_int_equal(limn_pairing_create(&p, &labels, NULL, 1, captions, 1, &settings, NULL),
                     LIMN_E_ARG);
    settings = limn_pairing_settings_default();
    settings.n_candidates = LIMN_PAIRING_MAX_CANDIDATES + 1;
    assert_int_equal(limn_pairing_create(&p, &labels, NULL, 1, captions, 1, &settings, NULL),
                     LIMN_E_ARG);
}

/* A subset of the images, and no image or caption at all. */
static void test_sizes(void **state)
{
    const limn_pairing_settings settings = limn_pairing_settings_default();
    const uint32_t images[] = { 1 };
    limn_pairing *p;
    (void)state;
    read_labels("a\tdog:0.7\nb\tcat:0.7 couch:0.7\n");
    assert_int_equal(
        limn_pairing_create(&p, &labels, images, 1, captions, N_CAPTIONS, &settings, NULL),
        LIMN_OK);
    assert_int_equal(candidates_of(p, 0), 1 << 4);
    limn_pairing_destroy(&p);
    assert_int_equal(limn_pairing_create(&p, &labels, NULL, 0, captions, 0, &settings, NULL),
                     LIMN_OK);
    assert_int_equal(limn_pairing_summarize(p).n_images, 0);
    limn_pairing_destroy(&p);
}

static int teardown(void **state)
{
    limn_object_labels_finish(&labels);
    return temp_folder_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fits),
        cmocka_unit_test(test_best_are_kept),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_draws_are_even_and_without_repetition),
        cmocka_unit_test(test_draws_depend_on_seed_name_epoch_and_repeat_alone),
        cmocka_unit_test(test_fewer_candidates_than_draws),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, teardown);
}

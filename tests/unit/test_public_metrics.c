/* The public metrics against the scores of pycocoevalcap and sacreBLEU for the same captions, and
 * against the parts that they are made of. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/metrics/meteor.h"
#include "models/metrics_choice.h"

static const char *source_path(const char *name)
{
    static char path[1024];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

static limn_metrics *make_metrics(const char *meteor_folder)
{
    limn_metrics *m = NULL;
    limn_error err = { 0 };
    if (limn_metrics_create(&m, meteor_folder, &err)) fail_msg("%s", err.text);
    return m;
}

/* Adds a caption with its references, as tokens if is_tokenised. */
static void add(limn_metrics *m, const char *hyp, json_t *refs, bool is_tokenised)
{
    const char *texts[16];
    const size_t n = json_array_size(refs);
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) texts[i] = json_string_value(json_array_get(refs, i));
    assert_int_equal(
        (is_tokenised ? limn_metrics_add_tokens : limn_metrics_add)(m, hyp, texts, n, NULL),
        LIMN_OK);
}

static void assert_scores(limn_metrics *m, json_t *scores, size_t image)
{
    static const struct {
        limn_metric metric;
        const char *key;
    } keys[] = { { LIMN_METRIC_BLEU_1, "Bleu_1" },   { LIMN_METRIC_BLEU_2, "Bleu_2" },
                 { LIMN_METRIC_BLEU_3, "Bleu_3" },   { LIMN_METRIC_BLEU_4, "Bleu_4" },
                 { LIMN_METRIC_ROUGE_L, "ROUGE_L" }, { LIMN_METRIC_CIDER_D, "CIDEr" } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const double expected = json_real_value(json_object_get(scores, keys[i].key));
        limn_metric_score all = { 0 };
        if (image == SIZE_MAX)
            assert_int_equal(limn_metrics_score(m, keys[i].metric, 0, 0, &all, NULL), LIMN_OK);
        else
            assert_int_equal(limn_metrics_image_score(m, keys[i].metric, image, &all.value, NULL),
                             LIMN_OK);
        if (!(fabs(all.value - expected) <= 1e-12 * (1 + fabs(expected))))
            fail_msg("%s: %.17g, expected %.17g", keys[i].key, all.value, expected);
    }
}

static void compare(json_t *set)
{
    json_t *images = json_object_get(set, "images"), *image;
    const char *tokenizer = json_string_value(json_object_get(set, "tokenizer"));
    limn_metrics *m = make_metrics(NULL);
    size_t i;
    json_array_foreach(images, i, image)
        add(m, json_string_value(json_object_get(image, "hyp")), json_object_get(image, "refs"),
            strcmp(tokenizer, "ptb") != 0);
    assert_scores(m, json_object_get(set, "scores"), SIZE_MAX);
    json_array_foreach(images, i, image) assert_scores(m, json_object_get(image, "scores"), i);
    limn_metrics_destroy(&m);
}

static void test_scores_are_those_of_coco_caption(void **state)
{
    json_t *sets = json_load_file(source_path("tests/data/metrics/metrics.json"), 0, NULL), *set;
    size_t i;
    (void)state;
    assert_true(json_array_size(sets) >= 4);
    json_array_foreach(sets, i, set) compare(set);
    json_decref(sets);
}

static void test_scores_are_those_of_sacrebleu(void **state)
{
    static const char *const refs[] = { "The dog runs fast (at 10,000 m/s).", "a dog is running" };
    static const char *const cats[] = { "the cat", "the the cat sat" };
    limn_metrics *m = make_metrics(NULL);
    limn_metric_score s;
    (void)state;
    limn_metrics_add(m, "A dog runs -- fast, at 10,000.5 m/s!", refs, 2, NULL);
    limn_metrics_add(m, "the the the the", cats, 2, NULL);
    assert_int_equal(limn_metrics_score(m, LIMN_METRIC_SACREBLEU, 0, 0, &s, NULL), LIMN_OK);
    assert_true(fabs(s.value - 16.08647210401904) < 1e-9);
    assert_true(s.low == s.value && s.high == s.value);
    limn_metrics_destroy(&m);
}

static void test_meteor_and_intervals(void **state)
{
    static const char *const refs[] = { "the hound is running before a chapel", "no match" };
    static const char *const same[] = { "the same words" };
    char folder[1024];
    limn_meteor_data *data;
    limn_meteor *meteor;
    limn_meteor_stats stats;
    limn_metric_score s, again;
    double value;
    (void)state;
    snprintf(folder, sizeof folder, "%s", source_path("tests/data/meteor"));
    limn_metrics *m = make_metrics(folder);
    assert_int_equal(limn_meteor_data_open(&data, folder, NULL, NULL), LIMN_OK);
    assert_int_equal(limn_meteor_create(&meteor, data, NULL), LIMN_OK);
    for (int i = 0; i < 5; i++) {
        limn_metrics_add(m, "A dog runs in front of the churches.", refs, 2, NULL);
        limn_metrics_add(m, "the same words", same, 1, NULL);
    }
    assert_int_equal(limn_metrics_n_images(m), 10);
    limn_meteor_score(&stats, meteor, "a dog runs in front of the churches", refs, 2, NULL);
    assert_int_equal(limn_metrics_image_score(m, LIMN_METRIC_METEOR, 0, &value, NULL), LIMN_OK);
    assert_true(value == limn_meteor_stats_score(&stats));
    assert_true(value > 0.2 && value < 0.9);
    for (limn_metric k = 0; k < LIMN_N_METRICS; k++) {
        assert_int_equal(limn_metrics_score(m, k, 200, 7, &s, NULL), LIMN_OK);
        assert_true(s.low <= s.value && s.value <= s.high && s.low < s.high);
        assert_int_equal(limn_metrics_score(m, k, 200, 7, &again, NULL), LIMN_OK);
        assert_memory_equal(&s, &again, sizeof s);
    }
    limn_meteor_destroy(&meteor);
    limn_meteor_data_close(&data);
    limn_metrics_destroy(&m);
}

/* Some images; for `n_right` of them, the caption is one of the references. */
static limn_metrics *some_images(int n_right)
{
    static const char *const refs[] = { "a dog runs over the grass", "the dog is on grass" };
    static const char *const others[] = { "two men play football", "a game of football" };
    limn_metrics *m = make_metrics(NULL);
    for (int i = 0; i < 12; i++) {
        const char *const *r = i % 2 ? refs : others;
        limn_metrics_add(m, i < n_right ? r[0] : "a dog is playing", r, 2, NULL);
    }
    return m;
}

static void test_all_images_at_once(void **state)
{
    limn_metrics *m = some_images(5);
    double all[12], one;
    (void)state;
    for (limn_metric k = 0; k < LIMN_N_METRICS; k++) {
        if (k == LIMN_METRIC_METEOR) continue;
        assert_int_equal(limn_metrics_image_scores(m, k, all, NULL), LIMN_OK);
        for (size_t i = 0; i < 12; i++) {
            limn_metrics_image_score(m, k, i, &one, NULL);
            assert_true(one == all[i]);
        }
        assert_true(all[0] > all[6]);
    }
    limn_metrics_destroy(&m);
}

static void test_two_systems_are_compared(void **state)
{
    limn_metrics *better = some_images(12), *worse = some_images(2), *fewer = make_metrics(NULL);
    const char *const refs[] = { "a dog" };
    limn_metric_difference d;
    limn_metric_score a, b;
    (void)state;
    for (limn_metric k = 0; k < LIMN_N_METRICS; k++) {
        if (k == LIMN_METRIC_METEOR) continue;
        assert_int_equal(limn_metrics_compare(better, worse, k, 500, 3, &d, NULL), LIMN_OK);
        limn_metrics_score(better, k, 0, 0, &a, NULL);
        limn_metrics_score(worse, k, 0, 0, &b, NULL);
        assert_true(fabs(d.value - (a.value - b.value)) < 1e-12);
        assert_true(0 < d.low && d.low < d.value && d.value < d.high && d.p < 0.05);
        assert_int_equal(limn_metrics_compare(better, better, k, 500, 3, &d, NULL), LIMN_OK);
        assert_true(d.value == 0 && d.p == 1);
    }
    limn_metrics_add(fewer, "a dog", refs, 1, NULL);
    assert_int_equal(limn_metrics_compare(better, fewer, 0, 500, 3, &d, NULL), LIMN_E_ARG);
    assert_int_equal(limn_metrics_compare(better, worse, 0, 0, 3, &d, NULL), LIMN_E_ARG);
    assert_int_equal(limn_metrics_compare(better, NULL, 0, 9, 3, &d, NULL), LIMN_E_ARG);
    limn_metrics_destroy(&fewer);
    limn_metrics_destroy(&worse);
    limn_metrics_destroy(&better);
}

#define REFUSED(call) assert_int_equal(call, LIMN_E_ARG)

/* Scores of two images from a corpus for `set`; all else is refused. */
static void score_some(double values[LIMN_N_METRICS][3], limn_metric_set set, const char *folder)
{
    static const char *const refs[] = { "a dog runs over the grass", "the  dog is on grass" };
    limn_metrics *m = NULL;
    assert_int_equal(limn_metrics_create_for(&m, set, folder, NULL), LIMN_OK);
    limn_metrics_add(m, "A dog runs.", refs, 2, NULL);
    limn_metrics_add(m, "the dog is on grass", refs, 2, NULL);
    for (limn_metric k = 0; k < LIMN_N_METRICS; k++) {
        limn_metric_score s;
        limn_metric_difference d;
        limn_error err = { 0 };
        const limn_status expected = set >> k & 1 ? LIMN_OK : LIMN_E_ARG;
        assert_int_equal(limn_metrics_image_scores(m, k, values[k], &err), expected);
        assert_int_equal(limn_metrics_image_score(m, k, 1, &values[k][1], NULL), expected);
        assert_int_equal(limn_metrics_compare(m, m, k, 9, 0, &d, NULL), expected);
        assert_int_equal(limn_metrics_score(m, k, 0, 0, &s, NULL), expected);
        if (expected == LIMN_OK)
            values[k][2] = s.value;
        else
            assert_non_null(strstr(err.text, "was left out at creation"));
    }
    limn_metrics_destroy(&m);
}

static void test_a_chosen_metric_scores_as_among_all(void **state)
{
    char folder[1024];
    double all[LIMN_N_METRICS][3], some[LIMN_N_METRICS][3];
    (void)state;
    snprintf(folder, sizeof folder, "%s", source_path("tests/data/meteor"));
    score_some(all, LIMN_ALL_METRICS, folder);
    for (limn_metric_set set = 0; set <= LIMN_ALL_METRICS; set += 5) {
        score_some(some, set, set >> LIMN_METRIC_METEOR & 1 ? folder : "/nowhere");
        for (limn_metric k = 0; k < LIMN_N_METRICS; k++)
            if (set >> k & 1) assert_memory_equal(some[k], all[k], sizeof some[k]);
    }
}

static void test_what_a_choice_refuses(void **state)
{
    limn_metrics *m = NULL;
    limn_error err = { 0 }, other = { 0 };
    const char *tokens;
    (void)state;
    REFUSED(limn_metrics_create_for(NULL, 1, NULL, NULL));
    REFUSED(limn_metrics_create_for(&m, LIMN_ALL_METRICS + 1, NULL, &err));
    assert_string_equal(err.text, "metrics: the set 0x100 has unknown bits");
    REFUSED(limn_metrics_create_for(&m, LIMN_ALL_METRICS, NULL, &other));
    assert_string_equal(other.text, "METEOR: no folder with its data");
    assert_null(m);
    assert_int_equal(limn_metrics_create_for(&m, 0, NULL, NULL), LIMN_OK);
    assert_int_equal(limn_metrics_tokenize(m, "A dog.", &tokens, NULL), LIMN_OK);
    assert_string_equal(tokens, "a dog");
    limn_metrics_destroy(&m);
}

static void test_arguments_are_checked(void **state)
{
    const char *const refs[] = { "a dog", NULL };
    limn_metrics *m = make_metrics(NULL);
    limn_metric_score s;
    const char *tokens;
    double value;
    (void)state;
    REFUSED(limn_metrics_create(NULL, NULL, NULL));
    assert_int_equal(limn_metrics_create(&(limn_metrics *){ NULL }, "/nowhere", NULL), LIMN_E_IO);
    REFUSED(limn_metrics_score(m, LIMN_METRIC_CIDER_D, 0, 0, &s, NULL)); /* no image */
    REFUSED(limn_metrics_add(NULL, "a", refs, 1, NULL));
    REFUSED(limn_metrics_add(m, NULL, refs, 1, NULL));
    REFUSED(limn_metrics_add(m, "a", NULL, 1, NULL));
    REFUSED(limn_metrics_add(m, "a", refs, 0, NULL));
    REFUSED(limn_metrics_add(m, "a", refs, 2, NULL));
    assert_int_equal(limn_metrics_add(m, "a \xff", refs, 1, NULL), LIMN_E_FORMAT);
    assert_int_equal(limn_metrics_n_images(m), 0);
    assert_int_equal(limn_metrics_add(m, "", refs, 1, NULL), LIMN_OK);
    REFUSED(limn_metrics_score(NULL, LIMN_METRIC_CIDER_D, 0, 0, &s, NULL));
    REFUSED(limn_metrics_score(m, LIMN_N_METRICS, 0, 0, &s, NULL));
    REFUSED(limn_metrics_score(m, LIMN_METRIC_CIDER_D, 0, 0, NULL, NULL));
    REFUSED(limn_metrics_score(m, LIMN_METRIC_CIDER_D, UINT32_MAX, 0, &s, NULL));
    REFUSED(limn_metrics_score(m, LIMN_METRIC_METEOR, 0, 0, &s, NULL));
    REFUSED(limn_metrics_image_score(m, LIMN_METRIC_CIDER_D, 1, &value, NULL));
    REFUSED(limn_metrics_image_scores(m, LIMN_METRIC_CIDER_D, NULL, NULL));
    REFUSED(limn_metrics_add_tokens(m, "a", NULL, 1, NULL));
    assert_int_equal(limn_metrics_add_tokens(m, "a \xff", refs, 1, NULL), LIMN_E_FORMAT);
    REFUSED(limn_metrics_tokenize(NULL, "a", &tokens, NULL));
    REFUSED(limn_metrics_tokenize(m, NULL, &tokens, NULL));
    REFUSED(limn_metrics_tokenize(m, "a", NULL, NULL));
    assert_int_equal(limn_metrics_n_images(NULL), 0);
    assert_int_equal(limn_metrics_score(m, LIMN_METRIC_BLEU_4, 10, 0, &s, NULL), LIMN_OK);
    limn_metrics_destroy(&m);
    limn_metrics_destroy(&m);
    limn_metrics_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_are_those_of_coco_caption),
        cmocka_unit_test(test_scores_are_those_of_sacrebleu),
        cmocka_unit_test(test_meteor_and_intervals),
        cmocka_unit_test(test_all_images_at_once),
        cmocka_unit_test(test_two_systems_are_compared),
        cmocka_unit_test(test_a_chosen_metric_scores_as_among_all),
        cmocka_unit_test(test_what_a_choice_refuses),
        cmocka_unit_test(test_arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

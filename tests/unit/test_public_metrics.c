/* The public metrics against what pycocoevalcap and sacreBLEU say of the same captions, and against
 * the parts that they are made of. */
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
#include "models/metrics.h"

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

/* Adds a caption with its references; false when the tokenizer would change one of them. */
static bool add(limn_metrics *m, const char *hyp, json_t *refs, bool is_tokenised)
{
    const char *texts[16], *tokens;
    bool is_same = true;
    const size_t n = json_array_size(refs);
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) texts[i] = json_string_value(json_array_get(refs, i));
    for (size_t i = 0; i < n + 1 && is_tokenised; i++) {
        const char *text = i < n ? texts[i] : hyp;
        assert_int_equal(limn_metrics_tokenize(m, text, &tokens, NULL), LIMN_OK);
        is_same = is_same && !strcmp(text, tokens);
    }
    if (is_same) assert_int_equal(limn_metrics_add(m, hyp, texts, n, NULL), LIMN_OK);
    return is_same;
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

static bool compare(json_t *set)
{
    json_t *images = json_object_get(set, "images"), *image;
    const char *tokenizer = json_string_value(json_object_get(set, "tokenizer"));
    limn_metrics *m = make_metrics(NULL);
    bool is_same = true;
    size_t i;
    json_array_foreach(images, i, image) is_same =
        is_same && add(m, json_string_value(json_object_get(image, "hyp")),
                       json_object_get(image, "refs"), strcmp(tokenizer, "ptb") != 0);
    if (is_same) assert_scores(m, json_object_get(set, "scores"), SIZE_MAX);
    json_array_foreach(images, i, image) if (is_same)
        assert_scores(m, json_object_get(image, "scores"), i);
    limn_metrics_destroy(&m);
    return is_same;
}

static void test_scores_are_those_of_coco_caption(void **state)
{
    json_t *sets = json_load_file(source_path("tests/data/metrics/metrics.json"), 0, NULL), *set;
    size_t i, n = 0;
    (void)state;
    assert_non_null(sets);
    json_array_foreach(sets, i, set) n += compare(set);
    assert_true(n >= 4);
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

#define REFUSED(call) assert_int_equal(call, LIMN_E_ARG)

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
        cmocka_unit_test(test_arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

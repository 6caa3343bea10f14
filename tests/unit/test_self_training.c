/* A model's agreement with captions: the scorer's values, whatever the number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "models/captioner_model.h"
#include "models/scorer.h"
#include "models/train/self_training.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

enum { SIDE = 224, N_IMAGES = 3, MAX = LIMN_AGREEMENT_MAX_CAPTIONS, MAX_WORDS = 64 };

/* The second one is longer than the toy model's captions; "qwxy" is not in its vocabulary. */
static const char *const captions[] = {
    "a dog on the wall", "dog a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
    "the dog qwxy",      "a cat",
    "two dogs",
};
enum { N_CAPTIONS = sizeof captions / sizeof *captions };

static limn_model *model;
static limn_object_labels labels;
static uint8_t pixels[N_IMAGES][SIDE * SIDE * 3];
static size_t unreadable = SIZE_MAX;

static limn_status read_image(const void *ctx, size_t image, uint8_t *out, limn_error *err)
{
    (void)ctx;
    if (image == unreadable) return limn_fail(err, LIMN_E_FORMAT, "was altered");
    memcpy(out, pixels[image], sizeof pixels[image]);
    return LIMN_OK;
}

static int set_up(void **state)
{
    static const char text[] = "a\tdog:0.9\nb\tcat:0.9\nc\tbus:0.9\n";
    const toy_model_settings settings = { .seed = 3, .dtype = LIMN_TENSOR_F16 };
    const char *path = temp_path("toy.safetensors");
    (void)state;
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&model, path, NULL, NULL), LIMN_OK);
    path = temp_path("objects.tsv");
    assert_int_equal(limn_file_replace(path, text, sizeof text - 1, NULL), LIMN_OK);
    assert_int_equal(limn_object_labels_read(&labels, path, NULL), LIMN_OK);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i / sizeof *pixels][i % sizeof *pixels] = (uint8_t)(i * 7 / 64);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    limn_object_labels_finish(&labels);
    limn_model_close(&model);
    return 0;
}

static limn_pairing *pair(void)
{
    limn_pairing_settings settings = limn_pairing_settings_default();
    limn_pairing *p;
    settings.details_share = 0;
    assert_int_equal(
        limn_pairing_create(&p, &labels, NULL, N_IMAGES, captions, N_CAPTIONS, &settings, NULL),
        LIMN_OK);
    return p;
}

static void agree(float *agreement, const limn_pairing *p, size_t n_threads)
{
    limn_pool *pool;
    assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
    const limn_opinion opinion = { .model = model,
                                   .pairing = p,
                                   .pixels = { read_image, NULL },
                                   .n_images = N_IMAGES,
                                   .captions = captions,
                                   .n_captions = N_CAPTIONS,
                                   .pool = pool };
    assert_int_equal(limn_self_training_agree(agreement, &opinion, NULL), LIMN_OK);
    limn_pool_destroy(&pool);
}

/* One caption at a time. */
static float expected(size_t image, const char *caption)
{
    float with[MAX_WORDS], without[MAX_WORDS];
    double sum = 0, n = 0;
    limn_scorer *scorer;
    limn_words words;
    assert_int_equal(limn_scorer_create(&scorer, model, 0, 1, NULL), LIMN_OK);
    assert_int_equal(limn_scorer_encode(&words, scorer, caption, NULL), LIMN_OK);
    const limn_score_job job = { words.ids, words.n_words, with, without };
    if (words.n_words > limn_scorer_max_words(scorer)) {
        limn_scorer_destroy(&scorer);
        return -INFINITY;
    }
    const size_t n_scores = words.n_words + 1;
    assert_int_equal(limn_scorer_run(scorer, pixels[image], &job, 1, NULL), LIMN_OK);
    for (size_t i = 0; i < n_scores; i++)
        if (!isnan(with[i])) {
            sum += (double)with[i] - (double)without[i];
            n++;
        }
    limn_scorer_destroy(&scorer);
    return (float)(sum / n);
}

static void test_agreement_is_that_of_the_scorer(void **state)
{
    limn_pairing *p = pair();
    float one[N_IMAGES * MAX], three[N_IMAGES * MAX];
    (void)state;
    agree(one, p, 1);
    agree(three, p, 3);
    assert_memory_equal(one, three, sizeof one);
    for (size_t i = 0; i < N_IMAGES; i++) {
        size_t n;
        const uint32_t *candidates = limn_pairing_candidates(&n, p, i);
        assert_int_equal(n, i == 0 ? 3 : i == 1 ? 1 : 0);
        for (size_t k = 0; k < n; k++) {
            const float should = expected(i, captions[candidates[k]]);
            assert_true((isinf(should) != 0) == (candidates[k] == 1));
            if (isinf(should))
                assert_true(isinf(one[i * MAX + k]));
            else
                assert_float_equal(one[i * MAX + k], should, 1e-5);
        }
        for (size_t k = n; k < MAX; k++) assert_true(isinf(one[i * MAX + k]));
    }
    limn_pairing_destroy(&p);
}

static void test_what_agrees_is_kept(void **state)
{
    limn_pairing *p = pair();
    float agreement[N_IMAGES * MAX] = { 0 };
    uint32_t out[4];
    size_t n;
    const uint32_t *candidates = limn_pairing_candidates(&n, p, 0);
    (void)state;
    agreement[2] = 5;
    assert_int_equal(limn_self_training_apply(p, N_IMAGES, agreement, 1, NULL), LIMN_OK);
    assert_int_equal(limn_pairing_heaviest(out, p, 0, 4), 1);
    assert_int_equal(out[0], candidates[2]);
    assert_int_equal(limn_pairing_draw(out, p, 0, 1, 0, 4), 1);
    limn_pairing_destroy(&p);
}

static bool stop(void *ctx, size_t done, size_t total)
{
    (void)ctx;
    assert_int_equal(done, N_IMAGES);
    assert_int_equal(total, N_IMAGES);
    return false;
}

static void test_it_can_be_interrupted(void **state)
{
    limn_pairing *p = pair();
    float agreement[N_IMAGES * MAX];
    const limn_opinion opinion = { .model = model,
                                   .pairing = p,
                                   .pixels = { read_image, NULL },
                                   .n_images = N_IMAGES,
                                   .captions = captions,
                                   .n_captions = N_CAPTIONS,
                                   .progress = { stop, NULL } };
    (void)state;
    assert_int_equal(limn_self_training_agree(agreement, &opinion, NULL), LIMN_E_INTERRUPTED);
    limn_pairing_destroy(&p);
}

static void test_an_image_that_can_t_be_read_is_an_error(void **state)
{
    limn_pairing *p = pair();
    float agreement[N_IMAGES * MAX];
    limn_error err = { 0 };
    const limn_opinion opinion = { .model = model,
                                   .pairing = p,
                                   .pixels = { read_image, NULL },
                                   .n_images = N_IMAGES,
                                   .captions = captions,
                                   .n_captions = N_CAPTIONS };
    (void)state;
    unreadable = 1;
    assert_int_equal(limn_self_training_agree(agreement, &opinion, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "was altered");
    unreadable = SIZE_MAX;
    limn_pairing_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement_is_that_of_the_scorer),
        cmocka_unit_test(test_what_agrees_is_kept),
        cmocka_unit_test(test_it_can_be_interrupted),
        cmocka_unit_test(test_an_image_that_can_t_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Images captioned together: each gets the bytes that it gets on its own, whatever the search, the
 * weights, the number of images and their order; a failure, interruption or lack of memory for one
 * does not affect the others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/io/fileio.h"
#include "models/lane.h"
#include "tests/fixtures/toy_model.h"
#include "tests/fixtures/toy_variants.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/wrapped_allocations.h"

enum { N_IMAGES = 11, N_FEATURES = 49 * 1280, MAX_SAID = 4096 };

/* ---- models -------------------------------------------------------------------------------- */

typedef enum weights { F32, F16, INT8, SECOND, N_WEIGHTS } weights; /* SECOND: a second F16 one */

static limn_error failed; /* stays empty */

static void write_models(char paths[N_WEIGHTS][512])
{
    const toy_model_settings f32 = { .seed = 3, .dtype = LIMN_TENSOR_F32 };
    const toy_model_settings f16 = { .seed = 3, .dtype = LIMN_TENSOR_F16, .has_confidence = true };
    const toy_model_settings second = { .seed = 4, .dtype = LIMN_TENSOR_F16 };
    const char *plain = temp_path("plain.safetensors");
    for (int i = 0; i < N_WEIGHTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.safetensors", i);
        snprintf(paths[i], sizeof paths[i], "%s", temp_path(name));
    }
    if (access(paths[SECOND], R_OK) == 0) return;
    if (toy_model_write(plain, &f16, &failed) ||
        toy_variant_with_frequencies(paths[F16], plain, &failed) ||
        toy_model_write(paths[F32], &f32, &failed) ||
        toy_variant_in_int8(paths[INT8], paths[F32], &failed) ||
        toy_model_write(paths[SECOND], &second, &failed))
        fail_msg("%s", failed.text);
}

static limn_model *open_model(weights kind, const char *level)
{
    char paths[N_WEIGHTS][512];
    limn_model *model = NULL;
    write_models(paths);
    if (limn_model_open(&model, paths[kind], level, &failed)) fail_msg("%s", failed.text);
    return model;
}

static limn_model *open_ensemble(void)
{
    char paths[N_WEIGHTS][512];
    limn_model *model = NULL;
    write_models(paths);
    const char *const both[] = { paths[F16], paths[SECOND] };
    if (limn_model_open_ensemble(&model, both, 2, NULL, &failed)) fail_msg("%s", failed.text);
    return model;
}

/* "name value, name value …" as options. */
static limn_state *make_state(const limn_model *model, const char *options, uint32_t n_threads,
                              limn_progress_fn *progress, void *ctx)
{
    limn_options o = limn_options_default();
    limn_state *state = NULL;
    char text[256], *rest = text, *item;
    snprintf(text, sizeof text, "%s", options);
    while ((item = strtok_r(rest, ",", &rest))) {
        char *value = item + strcspn(item, "=");
        const bool has_value = *value == '=';
        *value = '\0';
        if (limn_options_set(&o, item, has_value ? value + 1 : NULL, &failed))
            fail_msg("%s", failed.text);
    }
    o.progress = progress;
    o.progress_ctx = ctx;
    if (strstr(options, "coverage")) o.keeps_attention = true;
    if (limn_state_create(&state, model, &o, n_threads, &failed)) fail_msg("%s", failed.text);
    limn_options_finish(&o);
    return state;
}

/* No word repeats, so that the captions of a toy model have many words and several lengths. */
#define BEAM "n-best=3,no-repeat-ngram=1"
#define SAMPLE "sample,temperature=4,seed=3"

/* ---- images -------------------------------------------------------------------------------- */

/* Features of an image, of up to two models; NaN where no caption is possible. */
static const float *features_of(size_t image)
{
    static float features[N_IMAGES][2 * N_FEATURES];
    float *of = features[image];
    limn_rng rng = limn_rng_stream(image, "image", 5);
    for (size_t i = 0; of[0] == 0 && i < 2 * (size_t)N_FEATURES; i++)
        of[i] = (float)(3 * limn_rng_uniform(&rng));
    return of;
}

static const char *name_of(size_t image)
{
    static char names[N_IMAGES][16];
    snprintf(names[image], sizeof names[image], "d/%zu.jpg", image);
    return names[image];
}

/* Everything reported for an image, as text: a failure, or its captions with all their details. */
typedef struct said {
    char text[MAX_SAID];
    size_t n_tokens; /* of the best caption */
    int n_times;
} said;

static void say(said *s, const limn_captions *captions, const limn_error *failure)
{
    size_t at = 0;
    s->n_times++;
    if (failure) {
        assert_null(captions);
        snprintf(s->text, sizeof s->text, "%d %s", (int)failure->code, failure->text);
        return;
    }
    s->n_tokens = captions->items[0].n_tokens;
    for (size_t i = 0; i < captions->n_items && at < sizeof s->text; i++) {
        const limn_caption *c = &captions->items[i];
        uint64_t sum = limn_fnv1a64(LIMN_FNV1A64_INIT, c->token_logprobs,
                                    c->n_tokens * sizeof *c->token_logprobs);
        if (c->signals) sum = limn_fnv1a64(sum, c->signals, LIMN_N_SIGNALS * sizeof *c->signals);
        for (size_t k = 0; c->predictions && k < c->n_tokens; k++) {
            const limn_prediction *p = c->predictions[k];
            sum = limn_fnv1a64(sum, &p->entropy, sizeof p->entropy);
            if (p->attention) sum = limn_fnv1a64(sum, p->attention, 2 * 4 * 49 * sizeof(float));
        }
        at += (size_t)snprintf(s->text + at, sizeof s->text - at, "%s|%a|%a|%u|%llx\n", c->text,
                               c->logprob, c->score, c->n_drawn, (unsigned long long)sum);
    }
    for (size_t i = 0; i < captions->n_tags && at < sizeof s->text; i++)
        at += (size_t)snprintf(s->text + at, sizeof s->text - at, "%s %a\n", captions->tags[i].name,
                               (double)captions->tags[i].probability);
}

static void say_single(said *s, limn_state *state, size_t image)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    const limn_status status =
        limn_state_caption_features(state, name_of(image), features_of(image), &captions, &err);
    say(s, captions, status == LIMN_OK ? NULL : &err);
}

/* Images in a given order; some may come only later, and one may have no features. */
typedef struct album {
    const size_t *order; /* [n] */
    size_t n, n_given, n_asked, n_together, most_together;
    bool is_slow;   /* `next` returns nothing every other time */
    size_t missing; /* an image without features */
    said said[N_IMAGES];
} album;

static const size_t forwards[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
static const size_t backwards[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 };
static const size_t mixed[] = { 4, 9, 1, 0, 7, 10, 3, 2, 8, 6, 5 };

static album *make_album(const size_t *order)
{
    album *a = calloc(1, sizeof *a);
    a->order = order;
    a->n = N_IMAGES;
    a->missing = SIZE_MAX;
    return a;
}

static bool next_image(void *ctx, limn_source_image *out)
{
    album *a = ctx;
    if (a->n_given == a->n) return false;
    if (a->is_slow && a->n_asked++ % 2 && a->n_together > 0) return false;
    const size_t image = a->order[a->n_given++];
    *out = (limn_source_image){ .name = name_of(image), .image = &a->said[image] };
    if (image != a->missing) out->features = features_of(image);
    a->n_together++;
    if (a->n_together > a->most_together) a->most_together = a->n_together;
    return true;
}

static void image_done(void *ctx, void *image, const limn_captions *captions,
                       const limn_error *failure)
{
    album *a = ctx;
    a->n_together--;
    say(image, captions, failure);
}

static limn_status caption_album(limn_state *state, album *a, uint32_t max_together,
                                 limn_error *err)
{
    const limn_caption_source source = { a, next_image, image_done, max_together };
    return limn_state_caption_many(state, &source, err);
}

static void check_said(const said *got, const said *expected, const char *what)
{
    for (size_t i = 0; i < N_IMAGES; i++) {
        if (got[i].n_times != 1)
            fail_msg("%s: image %zu is done %d times", what, i, got[i].n_times);
        if (strcmp(got[i].text, expected[i].text) != 0)
            fail_msg("%s, image %zu: \"%s\", expected \"%s\"", what, i, got[i].text,
                     expected[i].text);
    }
}

static said *say_each_alone(const limn_model *model, const char *options)
{
    said *alone = calloc(N_IMAGES, sizeof *alone);
    limn_state *state = make_state(model, options, 1, NULL, NULL);
    for (size_t i = 0; i < N_IMAGES; i++) say_single(&alone[i], state, i);
    limn_state_destroy(&state);
    return alone;
}

/* Every number of images at once, and several orders, in one state. */
static void check_together(const limn_model *model, const char *options, uint32_t n_threads,
                           const said *alone)
{
    static const size_t *const orders[] = { forwards, backwards, mixed };
    static const uint32_t together[] = { 8, 1, 3, 0 };
    limn_state *state = make_state(model, options, n_threads, NULL, NULL);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 3; i++) {
            album *a = make_album(orders[i]);
            a->is_slow = i == 2;
            assert_int_equal(caption_album(state, a, together[k], NULL), LIMN_OK);
            check_said(a->said, alone, options);
            const size_t most = together[k] ? together[k] : LIMN_MAX_TOGETHER;
            assert_true(a->most_together <= most);
            if (i < 2)
                assert_int_equal(a->most_together,
                                 most < state->max_lanes ? most : state->max_lanes);
            free(a);
        }
    limn_state_destroy(&state);
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Otherwise the tests would prove nothing: images differ, and their captions end at different
 * steps. */
static void test_the_images_differ(void **state)
{
    limn_model *model = open_model(F16, NULL);
    said *alone = say_each_alone(model, BEAM);
    size_t shortest = SIZE_MAX, longest = 0;
    (void)state;
    for (size_t i = 0; i < N_IMAGES; i++)
        for (size_t k = 0; k < i; k++) assert_string_not_equal(alone[i].text, alone[k].text);
    free(alone);
    alone = say_each_alone(model, SAMPLE);
    for (size_t i = 0; i < N_IMAGES; i++) {
        shortest = alone[i].n_tokens < shortest ? alone[i].n_tokens : shortest;
        longest = alone[i].n_tokens > longest ? alone[i].n_tokens : longest;
    }
    assert_true(shortest + 5 < longest);
    free(alone);
    limn_model_close(&model);
}

static void test_every_search_gives_the_bytes_of_one_at_a_time(void **state)
{
    static const char *const options[] = {
        BEAM,
        SAMPLE,
        "beam=1",
        "beam=6,groups=3,diversity=0.5,n-best=6",
        "sample,temperature=3,top-p=0.9,seed=7,n-best=4",
        "sample,temperature=1.5,top-k=9,typical=0.9,no-repeat-ngram=2,n-best=3",
        "sample,distinct,temperature=3,n-best=5",
        "must=dog|red cat,ban=man,start-with=the,no-repeat-ngram=2,n-best=2",
        "min-words=4,max-words=7,no-bad-endings,repetition-penalty=1.5,length-reward=0.1",
        "coverage-penalty=0.2,n-best=3",
        "rerank=consensus,beam=8,n-best=4",
        "guidance=2,n-best=3,no-repeat-ngram=1",
        "guidance=1.5,sample,n-best=2,coverage-penalty=0.1",
        "confidence,tags=3,alternatives=4,n-best=2",
        "prompt=a dog,n-best=3,no-repeat-ngram=1",
        "prompt=the,sample,n-best=2",
        "search=transformers,beam=4,n-best=2,max-new-tokens=9",
        "search=transformers,beam=1,prompt=the red,repetition-penalty=1.3",
        "search=virtex,beam=5,n-best=2",
    };
    limn_model *model = open_model(F16, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        said *alone = say_each_alone(model, options[i]);
        check_together(model, options[i], 1, alone);
        free(alone);
    }
    limn_model_close(&model);
}

static void test_an_ensemble_does_too(void **state)
{
    static const char *const options[] = { BEAM, "guidance=2", "sample,n-best=3,seed=1" };
    limn_model *model = open_ensemble();
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        said *alone = say_each_alone(model, options[i]);
        check_together(model, options[i], 1, alone);
        free(alone);
    }
    limn_model_close(&model);
}

/* Level C with one image is the specification; the rows of many images may use a different kernel
 * from those of one. */
static void test_weights_levels_and_threads(void **state)
{
    (void)state;
    for (int kind = 0; kind < SECOND; kind++) {
        limn_model *plain = open_model((weights)kind, "c");
        said *alone = say_each_alone(plain, BEAM);
        limn_model_close(&plain);
        for (const char *const *level = limn_cpu_levels(); *level; level++) {
            limn_model *model = open_model((weights)kind, *level);
            check_together(model, BEAM, 1, alone);
            check_together(model, BEAM, 3, alone);
            limn_model_close(&model);
        }
        free(alone);
    }
}

/* Images without features, and with features for which no caption is possible. */
static void test_an_image_that_fails_does_not_touch_the_others(void **state)
{
    limn_model *model = open_model(F16, NULL);
    said *alone = say_each_alone(model, BEAM);
    float *broken = (float *)features_of(5), *before = malloc(N_FEATURES * sizeof *before);
    memcpy(before, broken, N_FEATURES * sizeof *before);
    for (size_t i = 0; i < N_FEATURES; i++) broken[i] = NAN;
    limn_state *s = make_state(model, BEAM, 1, NULL, NULL);
    (void)state;
    say_single(&alone[5], s, 5);
    assert_non_null(strstr(alone[5].text, "no caption can meet"));
    snprintf(alone[8].text, MAX_SAID, "%d input: NULL", (int)LIMN_E_ARG);
    for (uint32_t together = 1; together <= 8; together++) {
        album *a = make_album(mixed);
        a->missing = 8;
        assert_int_equal(caption_album(s, a, together, NULL), LIMN_OK);
        check_said(a->said, alone, "with failures");
        free(a);
    }
    memcpy(broken, before, N_FEATURES * sizeof *before);
    limn_state_destroy(&s);
    limn_model_close(&model);
    free(before);
    free(alone);
}

typedef struct patience {
    size_t n_left;
} patience;

static bool while_patient(void *ctx, uint32_t step, uint32_t max_steps)
{
    patience *p = ctx;
    assert_true(step <= max_steps);
    return p->n_left > 0 && p->n_left-- > 0;
}

static void test_stopping_in_the_middle(void **state)
{
    limn_model *model = open_model(F16, NULL);
    said *alone = say_each_alone(model, BEAM);
    patience p = { SIZE_MAX };
    limn_state *s = make_state(model, BEAM, 1, while_patient, &p);
    (void)state;
    for (size_t n = 0; n < 120; n += 7) {
        album *a = make_album(forwards);
        limn_error err = { 0 };
        size_t n_given_up = 0;
        p.n_left = n;
        assert_int_equal(caption_album(s, a, 8, &err), LIMN_E_INTERRUPTED);
        assert_string_equal(err.text, "stopped by the program");
        assert_int_equal(a->n_together, 0);
        for (size_t i = 0; i < N_IMAGES; i++) {
            const bool is_given = i < a->n_given;
            assert_int_equal(a->said[i].n_times, is_given ? 1 : 0);
            if (is_given && strstr(a->said[i].text, "stopped by the program"))
                n_given_up++;
            else if (is_given)
                assert_string_equal(a->said[i].text, alone[i].text);
        }
        assert_true(n_given_up > 0);
        free(a);
    }
    p.n_left = SIZE_MAX; /* and then as if nothing had happened */
    album *a = make_album(backwards);
    assert_int_equal(caption_album(s, a, 0, NULL), LIMN_OK);
    check_said(a->said, alone, "after stops");
    free(a);
    limn_state_destroy(&s);
    limn_model_close(&model);
    free(alone);
}

static void test_nothing_is_allocated_after_the_first_images(void **state)
{
    limn_model *model = open_model(F16, NULL);
    limn_state *s = make_state(model, BEAM ",confidence", 1, NULL, NULL);
    album *first = make_album(forwards), *again = make_album(mixed);
    (void)state;
    assert_int_equal(caption_album(s, first, 0, NULL), LIMN_OK);
    const size_t n_before = n_allocations;
    assert_int_equal(caption_album(s, again, 0, NULL), LIMN_OK);
    assert_int_equal(n_allocations, n_before);
    check_said(again->said, first->said, "again");
    free(first);
    free(again);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

/* If there is no memory for more images at once, there are fewer. */
static void test_memory_that_ends_anywhere_only_makes_it_slower(void **state)
{
    static const char *const options[] = { BEAM, "guidance=2,confidence,coverage-penalty=0.1" };
    limn_model *model = open_model(F16, NULL);
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        said *alone = say_each_alone(model, options[k]);
        for (size_t n = 0; n < 60; n += 1 + n / 8) {
            limn_state *s = make_state(model, options[k], 1, NULL, NULL);
            album *a = make_album(forwards);
            n_until_failure = n;
            const limn_status status = caption_album(s, a, 0, NULL);
            n_until_failure = SIZE_MAX;
            assert_int_equal(status, LIMN_OK);
            check_said(a->said, alone, options[k]);
            free(a);
            limn_state_destroy(&s);
        }
        free(alone);
    }
    limn_model_close(&model);
}

/* Options that need more memory per image get fewer images at once: the total stays within the
 * bound that the header states. */
static void test_memory_of_all_is_bounded(void **state)
{
    static const char *const options[] = { BEAM, "beam=64,n-best=64,coverage-penalty=1",
                                           "sample,n-best=64,candidates=256,alternatives=20" };
    limn_model *model = open_model(F16, NULL);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        limn_state *s = make_state(model, options[i], 1, NULL, NULL);
        assert_true((s->max_lanes - 1) * limn_lane_bytes(s) <= 8750000);
        assert_int_equal(s->max_lanes == LIMN_MAX_TOGETHER, i == 0);
        assert_int_equal(s->n_lanes, 1);
        limn_state_destroy(&s);
    }
    limn_model_close(&model);
}

static void test_what_a_source_cannot_be(void **state)
{
    limn_model *model = open_model(F16, NULL);
    limn_state *s = make_state(model, BEAM, 1, NULL, NULL);
    const struct {
        limn_caption_source source;
        const char *says;
    } cases[] = { { { .done = image_done }, "next: NULL" },
                  { { .next = next_image }, "done: NULL" } };
    limn_error err = { 0 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        limn_error why = { 0 };
        assert_int_equal(limn_state_caption_many(s, &cases[i].source, &why), LIMN_E_ARG);
        assert_string_equal(why.text, cases[i].says);
    }
    assert_int_equal(limn_state_caption_many(s, NULL, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "source: NULL");
    assert_int_equal(limn_state_caption_many(NULL, &cases[0].source, NULL), LIMN_E_ARG);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_images_differ),
        cmocka_unit_test(test_every_search_gives_the_bytes_of_one_at_a_time),
        cmocka_unit_test(test_an_ensemble_does_too),
        cmocka_unit_test(test_weights_levels_and_threads),
        cmocka_unit_test(test_an_image_that_fails_does_not_touch_the_others),
        cmocka_unit_test(test_stopping_in_the_middle),
        cmocka_unit_test(test_nothing_is_allocated_after_the_first_images),
        cmocka_unit_test(test_memory_that_ends_anywhere_only_makes_it_slower),
        cmocka_unit_test(test_memory_of_all_is_bounded),
        cmocka_unit_test(test_what_a_source_cannot_be),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

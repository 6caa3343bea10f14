/* The public functions as programs of every kind call them: with arguments that are NULL or out of
 * range, from memory, on pixels with strides, encoding once and captioning twice, stopped midway,
 * and after a fork(). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/captioner.h"
#include "models/scorer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

enum { SIDE = 224, WIDTH = 50, HEIGHT = 30 };

static uint8_t input[SIDE * SIDE * 3], blank[SIDE * SIDE * 3];
static uint8_t pixels[HEIGHT * WIDTH * 3];

static const char *model_path(void)
{
    const toy_model_settings settings = { .seed = 3, .dtype = LIMN_TENSOR_F16 };
    const char *path = temp_path("toy.safetensors");
    limn_error err = { 0 };
    if (access(path, R_OK) != 0 && toy_model_write(path, &settings, &err)) fail_msg("%s", err.text);
    return path;
}

static limn_model *open_model(void)
{
    limn_model *model = NULL;
    limn_error err = { 0 };
    if (limn_model_open(&model, model_path(), NULL, &err)) fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof input; i++) input[i] = (uint8_t)(i * 7 / 64);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 31);
    return model;
}

static limn_state *make_state(const limn_model *model, const limn_options *options)
{
    limn_state *state;
    limn_error err = { 0 };
    if (limn_state_create(&state, model, options, 1, &err)) fail_msg("%s", err.text);
    return state;
}

static double caption(limn_state *s, const uint8_t *of)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    if (limn_state_caption_input(s, "x", of, &captions, &err)) fail_msg("%s", err.text);
    return captions->items[0].logprob;
}

/* ---- hostile arguments ---------------------------------------------------------------------- */

#define REFUSED(call) assert_int_equal(call, LIMN_E_ARG)

static void test_models_check_their_arguments(void **state)
{
    const char *const path = model_path(), *const paths[] = { path, NULL };
    limn_model *model = open_model(), *other;
    limn_model_info info;
    (void)state;
    REFUSED(limn_model_open(NULL, path, NULL, NULL));
    REFUSED(limn_model_open(&other, NULL, NULL, NULL));
    REFUSED(limn_model_open(&other, path, "sse9", NULL));
    REFUSED(limn_model_open_memory(NULL, "x", 1, NULL, NULL));
    REFUSED(limn_model_open_memory(&other, NULL, 1, NULL, NULL));
    assert_int_equal(limn_model_open_memory(&other, "x", 0, NULL, NULL), LIMN_E_TRUNCATED);
    REFUSED(limn_model_open_ensemble(NULL, paths, 1, NULL, NULL));
    REFUSED(limn_model_open_ensemble(&other, NULL, 1, NULL, NULL));
    REFUSED(limn_model_open_ensemble(&other, paths, 0, NULL, NULL));
    REFUSED(limn_model_open_ensemble(&other, paths, 2, NULL, NULL));
    assert_null(other);
    limn_model_get_info(NULL, &info);
    assert_int_equal(info.n_tokens, 0);
    limn_model_read_info(model, NULL, 8);
    assert_false(limn_model_knows(NULL, "dog"));
    assert_false(limn_model_knows(model, NULL));
    assert_null(limn_model_token(NULL, 5));
    assert_null(limn_model_token(model, UINT32_MAX));
    assert_int_equal(limn_model_find(NULL, "dog"), LIMN_UNKNOWN_TOKEN);
    assert_int_equal(limn_model_find(model, NULL), LIMN_UNKNOWN_TOKEN);
    assert_non_null(limn_status_name((limn_status)99));
    assert_int_equal(limn_api_version(), LIMN_API_VERSION);
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", LIMN_VERSION_MAJOR, LIMN_VERSION_MINOR,
             LIMN_VERSION_PATCH);
    assert_string_equal(limn_version(), version);
    limn_model_close(&model);
    limn_model_close(&model);
    limn_model_close(NULL);
}

static void test_states_check_their_arguments(void **state)
{
    limn_model *model = open_model();
    limn_state *s = NULL, *gone = NULL;
    const limn_captions *captions;
    float *features = malloc(49 * 1280 * sizeof *features);
    (void)state;
    REFUSED(limn_state_create(NULL, model, NULL, 1, NULL));
    REFUSED(limn_state_create(&s, NULL, NULL, 1, NULL));
    REFUSED(limn_state_create(&s, model, NULL, 0, NULL));
    REFUSED(limn_state_create(&s, model, NULL, UINT32_MAX, NULL));
    s = make_state(model, NULL); /* NULL options are the defaults */
    limn_state_destroy(&gone);
    limn_state_destroy(NULL);
    REFUSED(limn_state_caption_file(gone, "x.jpg", &captions, NULL));
    REFUSED(limn_state_caption_file(s, NULL, &captions, NULL));
    REFUSED(limn_state_caption_file(s, "x.jpg", NULL, NULL));
    REFUSED(limn_state_caption_bytes(gone, NULL, "x", 1, &captions, NULL));
    REFUSED(limn_state_caption_bytes(s, NULL, NULL, 1, &captions, NULL));
    REFUSED(limn_state_caption_bytes(s, NULL, "x", 1, NULL, NULL));
    assert_int_not_equal(limn_state_caption_bytes(s, NULL, "x", 0, &captions, NULL), LIMN_OK);
    REFUSED(limn_state_caption_pixels(gone, NULL, pixels, WIDTH, HEIGHT, &captions, NULL));
    REFUSED(limn_state_caption_pixels(s, NULL, NULL, WIDTH, HEIGHT, &captions, NULL));
    REFUSED(limn_state_caption_pixels(s, NULL, pixels, 0, HEIGHT, &captions, NULL));
    REFUSED(limn_state_caption_pixels(s, NULL, pixels, WIDTH, UINT32_MAX, &captions, NULL));
    REFUSED(limn_state_caption_pixels(s, NULL, pixels, WIDTH, HEIGHT, NULL, NULL));
    REFUSED(limn_state_load(gone, "x", 1, input, NULL, NULL, NULL));
    REFUSED(limn_state_load(s, NULL, 1, input, NULL, NULL, NULL));
    REFUSED(limn_state_load(s, "x", 1, NULL, NULL, NULL, NULL));
    REFUSED(limn_state_caption_input(gone, NULL, input, &captions, NULL));
    REFUSED(limn_state_caption_input(s, NULL, NULL, &captions, NULL));
    REFUSED(limn_state_caption_input(s, NULL, input, NULL, NULL));
    REFUSED(limn_state_encode(gone, input, features, NULL));
    REFUSED(limn_state_encode(s, NULL, features, NULL));
    REFUSED(limn_state_encode(s, input, NULL, NULL));
    REFUSED(limn_state_caption_features(gone, NULL, features, &captions, NULL));
    REFUSED(limn_state_caption_features(s, NULL, NULL, &captions, NULL));
    REFUSED(limn_state_caption_features(s, NULL, features, NULL, NULL));
    limn_state_destroy(&s);
    limn_model_close(&model);
    free(features);
}

static void test_pixels_check_their_shape(void **state)
{
    limn_model *model = open_model();
    limn_options options = limn_options_default();
    limn_state *s = make_state(model, NULL);
    const limn_pixels good = { pixels, WIDTH, HEIGHT, 0, LIMN_PIXELS_RGB };
    limn_pixels bad[6];
    (void)state;
    for (size_t i = 0; i < 6; i++) bad[i] = good;
    bad[0].rows = NULL;
    bad[1].width = 0;
    bad[2].height = 65536;
    bad[3].stride = 3 * WIDTH - 1;
    bad[4].order = (limn_pixel_order)7;
    bad[5].stride = 1;
    for (size_t i = 0; i < 6; i++) REFUSED(limn_state_load_pixels(s, &bad[i], input, NULL));
    REFUSED(limn_state_load_pixels(s, NULL, input, NULL));
    REFUSED(limn_state_load_pixels(s, &good, NULL, NULL));
    REFUSED(limn_state_load_pixels(NULL, &good, input, NULL));
    limn_state_destroy(&s);
    options.max_pixels = WIDTH * HEIGHT - 1;
    s = make_state(model, &options);
    assert_int_equal(limn_state_load_pixels(s, &good, input, NULL), LIMN_E_LIMIT);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_scorers_check_their_arguments(void **state)
{
    limn_model *model = open_model();
    limn_scorer *s = NULL;
    limn_words words;
    const uint32_t ids[] = { 4 };
    float logprobs[2];
    limn_score_job job = { ids, 1, logprobs, NULL };
    (void)state;
    REFUSED(limn_scorer_create(NULL, model, 0, 1, NULL));
    REFUSED(limn_scorer_create(&s, NULL, 0, 1, NULL));
    REFUSED(limn_scorer_create(&s, model, 0, 0, NULL));
    assert_int_equal(limn_scorer_create(&s, model, 0, 1, NULL), LIMN_OK);
    assert_int_equal(limn_scorer_max_words(NULL), 0);
    REFUSED(limn_scorer_load(NULL, "x", 1, input, NULL));
    REFUSED(limn_scorer_load(s, NULL, 1, input, NULL));
    REFUSED(limn_scorer_load(s, "x", 1, NULL, NULL));
    REFUSED(limn_scorer_encode(NULL, s, "a dog", NULL));
    REFUSED(limn_scorer_encode(&words, NULL, "a dog", NULL));
    REFUSED(limn_scorer_encode(&words, s, NULL, NULL));
    REFUSED(limn_scorer_run(NULL, input, &job, 1, NULL));
    REFUSED(limn_scorer_run(s, NULL, &job, 1, NULL));
    REFUSED(limn_scorer_run(s, input, NULL, 1, NULL));
    assert_int_equal(limn_scorer_run(s, input, &job, 1, NULL), LIMN_OK);
    job.words = NULL;
    REFUSED(limn_scorer_run(s, input, &job, 1, NULL));
    job = (limn_score_job){ ids, 1, NULL, NULL };
    REFUSED(limn_scorer_run(s, input, &job, 1, NULL));
    limn_scorer_destroy(&s);
    limn_scorer_destroy(&s);
    limn_scorer_destroy(NULL);
    limn_model_close(&model);
}

/* ---- ways to pass an image ------------------------------------------------------------------ */

static void test_a_model_from_memory_is_the_same(void **state)
{
    limn_model *model = open_model(), *other = NULL;
    limn_state *s = make_state(model, NULL);
    FILE *file = fopen(model_path(), "rb");
    limn_error err = { 0 };
    (void)state;
    assert_non_null(file);
    char *bytes = malloc(64u << 20);
    const size_t size = fread(bytes, 1, 64u << 20, file);
    fclose(file);
    assert_int_equal(limn_model_open_memory(&other, bytes, size, NULL, &err), LIMN_OK);
    assert_int_not_equal(
        limn_model_open_memory(&(limn_model *){ NULL }, bytes, size / 2, NULL, NULL), LIMN_OK);
    memset(bytes, 0, size); /* the model keeps no reference to it */
    free(bytes);
    limn_state *t = make_state(other, NULL);
    assert_true(caption(s, input) == caption(t, input));
    limn_state_destroy(&s);
    limn_state_destroy(&t);
    limn_model_close(&model);
    limn_model_close(&other);
}

static void test_rows_and_orders_of_pixels(void **state)
{
    enum { STRIDE = WIDTH * 3 + 11 };
    static uint8_t spread[HEIGHT * STRIDE], dense_input[SIDE * SIDE * 3];
    limn_model *model = open_model();
    limn_state *s = make_state(model, NULL);
    limn_pixels p = { pixels, WIDTH, HEIGHT, 0, LIMN_PIXELS_RGB };
    (void)state;
    assert_int_equal(limn_state_load_pixels(s, &p, dense_input, NULL), LIMN_OK);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++)
            for (size_t c = 0; c < 3; c++)
                spread[y * STRIDE + 3 * x + c] = pixels[(y * WIDTH + x) * 3 + 2 - c];
    p = (limn_pixels){ spread, WIDTH, HEIGHT, STRIDE, LIMN_PIXELS_BGR };
    assert_int_equal(limn_state_load_pixels(s, &p, input, NULL), LIMN_OK);
    assert_memory_equal(input, dense_input, sizeof input);
    p.order = LIMN_PIXELS_RGB;
    assert_int_equal(limn_state_load_pixels(s, &p, input, NULL), LIMN_OK);
    assert_memory_not_equal(input, dense_input, sizeof input);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_features_are_encoded_once(void **state)
{
    limn_model *model = open_model();
    limn_options sentence = limn_options_default();
    limn_model_info info;
    const limn_captions *captions;
    (void)state;
    limn_model_get_info(model, &info);
    assert_int_equal(info.feature_dim, 1280);
    assert_int_equal(info.n_features, info.grid_width * info.grid_height * info.feature_dim);
    float *features = malloc(info.n_features * sizeof *features);
    sentence.beam_size = sentence.n_best = 2;
    limn_state *s = make_state(model, NULL), *t = make_state(model, &sentence);
    assert_int_equal(limn_state_encode(s, input, features, NULL), LIMN_OK);
    const double expected[] = { caption(s, input), caption(t, input) };
    caption(s, blank); /* another image in between */
    assert_int_equal(limn_state_caption_features(s, "x", features, &captions, NULL), LIMN_OK);
    assert_true(captions->items[0].logprob == expected[0]);
    assert_int_equal(limn_state_caption_features(t, "x", features, &captions, NULL), LIMN_OK);
    assert_true(captions->items[0].logprob == expected[1]);
    assert_int_equal(captions->n_items, 2);
    limn_state_destroy(&s);
    limn_state_destroy(&t);
    limn_model_close(&model);
    free(features);
}

/* ---- as JSON -------------------------------------------------------------------------------- */

static void test_captions_are_a_line_of_json(void **state)
{
    limn_model *model = open_model();
    limn_options options = limn_options_default();
    options.n_best = 2;
    options.n_alternatives = 3;
    limn_state *s = make_state(model, &options);
    const limn_captions *captions;
    const limn_captions none = { 0 };
    char text[1 << 16], begin[512];
    size_t needed = 0, n;
    (void)state;
    assert_int_equal(limn_state_caption_input(s, "x", input, &captions, NULL), LIMN_OK);
    assert_int_equal(
        limn_captions_json(captions, model, &options, "a/x.jpg", NULL, 0, &needed, NULL), LIMN_OK);
    assert_true(needed > 100 && needed < sizeof text);
    memset(text, '#', sizeof text);
    assert_int_equal(
        limn_captions_json(captions, model, &options, "a/x.jpg", text, needed - 1, &n, NULL),
        LIMN_OK);
    assert_int_equal(text[0], '#'); /* it does not fit, and nothing is written */
    assert_int_equal(
        limn_captions_json(captions, model, &options, "a/x.jpg", text, needed, &n, NULL), LIMN_OK);
    assert_int_equal(strlen(text) + 1, needed);
    snprintf(begin, sizeof begin, "{\"file\":\"a/x.jpg\",\"caption\":\"%s\",\"logprob\":%.9g,",
             captions->items[0].text, captions->items[0].logprob);
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_non_null(strstr(text, "\"alternatives\":[{\"token\":"));
    assert_non_null(strstr(text, "\"captions\":[{\"caption\":"));
    assert_int_equal(limn_captions_json(captions, model, NULL, NULL, text, sizeof text, &n, NULL),
                     LIMN_OK);
    assert_int_equal(strncmp(text, "{\"caption\":", 11), 0);
    assert_null(strstr(text, "\"captions\""));
    REFUSED(limn_captions_json(NULL, model, NULL, NULL, text, sizeof text, &n, NULL));
    REFUSED(limn_captions_json(&none, model, NULL, NULL, text, sizeof text, &n, NULL));
    REFUSED(limn_captions_json(captions, NULL, NULL, NULL, text, sizeof text, &n, NULL));
    REFUSED(limn_captions_json(captions, model, NULL, NULL, NULL, sizeof text, &n, NULL));
    REFUSED(limn_captions_json(captions, model, NULL, NULL, text, sizeof text, NULL, NULL));
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_failures_are_a_line_of_json(void **state)
{
    const limn_error failure = { LIMN_E_TRUNCATED, "it \"ends\" early: \xff" };
    static const char line[] = "{\"file\":\"a/x.jpg\",\"error\":{\"kind\":\"truncated\","
                               "\"detail\":\"it \\\"ends\\\" early: \\\\xff\"}}";
    char text[256];
    size_t needed;
    (void)state;
    assert_int_equal(limn_failure_json(&failure, "a/x.jpg", NULL, 0, &needed, NULL), LIMN_OK);
    assert_int_equal(needed, sizeof line);
    assert_int_equal(limn_failure_json(&failure, "a/x.jpg", text, sizeof text, &needed, NULL),
                     LIMN_OK);
    assert_string_equal(text, line);
    REFUSED(limn_failure_json(NULL, "a/x.jpg", text, sizeof text, &needed, NULL));
    REFUSED(limn_failure_json(&failure, NULL, text, sizeof text, &needed, NULL));
    REFUSED(limn_failure_json(&failure, "a/x.jpg", NULL, sizeof text, &needed, NULL));
    REFUSED(limn_failure_json(&failure, "a/x.jpg", text, sizeof text, NULL, NULL));
}

/* ---- progress ------------------------------------------------------------------------------- */

typedef struct watch {
    uint32_t n_calls, stop_at, last, max;
} watch;

static bool look(void *ctx, uint32_t step, uint32_t max_steps)
{
    watch *w = ctx;
    w->n_calls++;
    w->last = step;
    w->max = max_steps;
    return step < w->stop_at;
}

static void test_a_program_can_stop_a_search(void **state)
{
    static const limn_method methods[] = { LIMN_METHOD_BEAM, LIMN_METHOD_SAMPLE,
                                           LIMN_METHOD_SAMPLE_DISTINCT };
    limn_model *model = open_model();
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        watch w = { .stop_at = UINT32_MAX };
        limn_options o = limn_options_default();
        const limn_captions *captions;
        o.method = methods[i];
        o.n_best = 2;
        o.min_words = 4;
        const limn_options plain = o;
        o.progress = look;
        o.progress_ctx = &w;
        limn_state *s = make_state(model, &o), *p = make_state(model, &plain);
        const double expected = caption(p, input);
        assert_true(caption(s, input) == expected);
        assert_true(w.n_calls == w.last + 1 && w.last >= 5 && w.last <= w.max);
        for (uint32_t stop = 0; stop < 4; stop++) {
            limn_error err = { 0 };
            w = (watch){ .stop_at = stop };
            assert_int_equal(limn_state_caption_input(s, "x", input, &captions, &err),
                             LIMN_E_INTERRUPTED);
            assert_null(captions);
            assert_string_equal(err.text, "stopped by the program");
            assert_int_equal(w.last, stop);
        }
        w = (watch){ .stop_at = UINT32_MAX };
        assert_true(caption(s, input) == expected);
        limn_state_destroy(&s);
        limn_state_destroy(&p);
    }
    limn_model_close(&model);
}

/* ---- fork ----------------------------------------------------------------------------------- */

/* A child's exit code: 0 if everything is as captioner.h says. It must not hang: an alarm ends
 * it. */
static int child(const limn_model *model, limn_state *one, limn_state *two, double expected)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    limn_state *own = NULL;
    alarm(120);
    if (limn_state_caption_input(one, "x", input, &captions, NULL)) return 1;
    if (captions->items[0].logprob != expected) return 2;
    if (limn_state_caption_input(two, "x", input, &captions, &err) != LIMN_E_ARG) return 3;
    if (!strstr(err.text, "do not survive fork()")) return 4;
    limn_state_destroy(&two);
    if (two || limn_state_create(&own, model, NULL, 2, NULL)) return 5;
    if (limn_state_caption_input(own, "x", input, &captions, NULL)) return 6;
    if (captions->items[0].logprob != expected) return 7;
    limn_state_destroy(&own);
    limn_state_destroy(&one);
    return 0;
}

static void test_what_survives_a_fork(void **state)
{
    limn_model *model = open_model();
    limn_state *one = make_state(model, NULL), *two = NULL;
    int status = -1;
    (void)state;
    assert_int_equal(limn_state_create(&two, model, NULL, 2, NULL), LIMN_OK);
    const double expected = caption(one, input);
    assert_true(caption(two, input) == expected);
    const pid_t pid = fork();
    if (pid == 0) _exit(child(model, one, two, expected));
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(caption(two, input) == expected); /* the parent's state still works */
    limn_state_destroy(&one);
    limn_state_destroy(&two);
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_check_their_arguments),
        cmocka_unit_test(test_states_check_their_arguments),
        cmocka_unit_test(test_pixels_check_their_shape),
        cmocka_unit_test(test_scorers_check_their_arguments),
        cmocka_unit_test(test_a_model_from_memory_is_the_same),
        cmocka_unit_test(test_rows_and_orders_of_pixels),
        cmocka_unit_test(test_features_are_encoded_once),
        cmocka_unit_test(test_captions_are_a_line_of_json),
        cmocka_unit_test(test_failures_are_a_line_of_json),
        cmocka_unit_test(test_a_program_can_stop_a_search),
        cmocka_unit_test(test_what_survives_a_fork),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

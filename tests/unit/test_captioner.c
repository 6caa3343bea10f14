/* The public header on a toy model: options, the ways to pass an image, the same captions for any
 * number of threads and CPU level, errors, and no allocation after the first image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/captioner.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/toy_captioner.h"
#include "tests/unit/wrapped_allocations.h"

enum { SIDE = 224 };

static const char *photo(const char *name)
{
    static char path[1024];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/samples/photos/%s", root ? root : ".", name);
    return path;
}

static const limn_captions *caption(limn_state *state, const char *path)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    if (limn_state_caption_file(state, path, &captions, &err)) fail_msg("%s", err.text);
    return captions;
}

/* Made-up pixels [SIDE, SIDE, 3]; the caller frees. */
static uint8_t *some_pixels(unsigned seed)
{
    uint8_t *pixels = malloc((size_t)SIDE * SIDE * 3);
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 3; i++) pixels[i] = (uint8_t)(i * seed / 64);
    return pixels;
}

/* Everything about the captions, as text; valid until the fourth call after this one. */
static const char *print(const limn_captions *captions)
{
    static char texts[4][4096];
    static size_t next;
    char *text = texts[next++ % 4];
    int at = 0;
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        at += snprintf(text + at, sizeof texts[0] - (size_t)at, "%s|%a|%a|", c->text, c->logprob,
                       c->score);
        for (size_t t = 0; t < c->n_tokens; t++)
            at += snprintf(text + at, sizeof texts[0] - (size_t)at, "%u %a,", c->tokens[t],
                           (double)c->token_logprobs[t]);
    }
    return text;
}

static void test_bits_do_not_depend_on_level_threads_or_order(void **state)
{
    static const char *const photos[] = { "kitten.jpg", "cows.jpg" };
    char expected[2][4096];
    limn_options options = limn_options_default();
    options.beam_size = options.n_best = 4;
    (void)state;
    for (size_t l = 0; limn_cpu_levels()[l]; l++) {
        limn_model *model = open_toy_model(limn_cpu_levels()[l]);
        for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
            limn_state *s = make_state(model, &options, n_threads);
            for (size_t i = 0; i < 2; i++) {
                const size_t which = n_threads == 2 ? 1 - i : i;
                const char *text = print(caption(s, photo(photos[which])));
                if (l == 0 && n_threads == 1) strcpy(expected[which], text);
                assert_string_equal(text, expected[which]);
            }
            limn_state_destroy(&s);
        }
        limn_model_close(&model);
    }
    assert_string_not_equal(expected[0], expected[1]);
}

static void test_an_image_is_the_same_however_it_comes(void **state)
{
    limn_model *model = open_toy_model(NULL);
    const limn_options options = limn_options_default();
    limn_state *s = make_state(model, &options, 1);
    const limn_captions *captions;
    uint32_t width, height;
    static uint8_t input[SIDE * SIDE * 3], bytes[1 << 20];
    FILE *file = fopen(photo("kitten.jpg"), "rb");
    (void)state;
    const char *expected = print(caption(s, photo("kitten.jpg")));
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(limn_state_caption_bytes(s, "kitten.jpg", bytes, size, &captions, NULL),
                     LIMN_OK);
    assert_string_equal(print(captions), expected);
    assert_int_equal(limn_state_load(s, bytes, size, input, &width, &height, NULL), LIMN_OK);
    assert_true(width > 0 && height > 0);
    assert_int_equal(limn_state_caption_input(s, "kitten.jpg", input, &captions, NULL), LIMN_OK);
    assert_string_equal(print(captions), expected);
    assert_int_equal(limn_state_caption_pixels(s, "kitten.jpg", input, SIDE, SIDE, &captions, NULL),
                     LIMN_OK);
    assert_string_equal(print(captions), expected);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_nothing_is_allocated_after_the_first_image(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    uint8_t *first = some_pixels(3), *second = some_pixels(77);
    const limn_captions *captions;
    (void)state;
    options.beam_size = 5;
    options.no_repeat_ngram = 2;
    limn_state *s = make_state(model, &options, 2);
    assert_int_equal(limn_state_caption_pixels(s, NULL, first, 200, 220, &captions, NULL), LIMN_OK);
    const size_t n_before = n_allocations;
    assert_int_equal(limn_state_caption_pixels(s, NULL, second, 200, 220, &captions, NULL),
                     LIMN_OK);
    assert_int_equal(limn_state_caption_pixels(s, NULL, first, 150, 200, &captions, NULL), LIMN_OK);
    assert_int_equal(limn_state_caption_input(s, NULL, first, &captions, NULL), LIMN_OK);
    assert_int_equal(n_allocations, n_before);
    limn_state_destroy(&s);
    limn_model_close(&model);
    free(first);
    free(second);
}

static void test_captions_are_sorted_distinct_and_add_up(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    options.beam_size = options.n_best = 6;
    limn_state *s = make_state(model, &options, 1);
    const limn_captions *captions = caption(s, photo("kitten.jpg"));
    (void)state;
    assert_int_equal(captions->n_items, 6);
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        double sum = 0;
        for (size_t t = 0; t < c->n_tokens; t++) sum += (double)c->token_logprobs[t];
        assert_true(sum == c->logprob);
        assert_true(i == 0 || c->score <= captions->items[i - 1].score);
        for (size_t j = 0; j < i; j++)
            assert_true(
                c->n_tokens != captions->items[j].n_tokens ||
                memcmp(c->tokens, captions->items[j].tokens, c->n_tokens * sizeof *c->tokens) != 0);
    }
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static bool says(const limn_captions *captions, const char *word)
{
    char padded[4096], wanted[80];
    snprintf(padded, sizeof padded, " %s ", captions->items[0].text);
    snprintf(wanted, sizeof wanted, " %s ", word);
    return strstr(padded, wanted) != NULL;
}

static size_t n_words(const limn_captions *captions)
{
    size_t n = captions->items[0].text[0] != '\0';
    for (const char *c = captions->items[0].text; *c; c++) n += *c == ' ';
    return n;
}

static void test_options_reach_the_search(void **state)
{
    limn_model *model = open_toy_model(NULL);
    limn_options options = limn_options_default();
    char word[64];
    options.min_words = 3;
    limn_state *s = make_state(model, &options, 1);
    const limn_captions *captions = caption(s, photo("kitten.jpg"));
    (void)state;
    assert_true(n_words(captions) >= 3);
    snprintf(word, sizeof word, "%s", limn_model_token(model, captions->items[0].tokens[0]));
    assert_true(says(captions, word));
    limn_state_destroy(&s);
    const char *const banned[] = { word };
    options.banned_words = banned;
    options.n_banned_words = 1;
    options.max_words = 4;
    s = make_state(model, &options, 1);
    captions = caption(s, photo("kitten.jpg"));
    assert_false(says(captions, word));
    assert_true(n_words(captions) >= 3 && n_words(captions) <= 4);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_options_out_of_range_are_named(void **state)
{
    static const char *const unknown[] = { "dog", "zebra" };
    static const struct {
        size_t offset;
        uint32_t value;
        const char *says;
    } cases[] = {
        { offsetof(limn_options, beam_size), 0, "beam: 0 is not in 1 … 64" },
        { offsetof(limn_options, beam_size), 65, "beam: 65 is not in 1 … 64" },
        { offsetof(limn_options, n_best), 4, "n-best: 4 is more than beam, 3" },
        { offsetof(limn_options, n_best), 0, "n-best: 0 is not in 1 … 64" },
        { offsetof(limn_options, min_words), 20, "min-words: 20 is not in 0 … 19" },
        { offsetof(limn_options, max_words), 21, "max-words: 21 is not in 0 … 20" },
    };
    limn_model *model = open_toy_model(NULL);
    limn_state *s;
    limn_error err = { 0 }, err_words = { 0 }, err_penalty = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_options options = limn_options_default();
        limn_error e = { 0 };
        memcpy((char *)&options + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_int_equal(limn_state_create(&s, model, &options, 1, &e), LIMN_E_ARG);
        assert_null(s);
        assert_string_equal(e.text, cases[i].says);
    }
    limn_options options = limn_options_default();
    assert_int_equal(limn_state_create(&s, model, &options, 0, &err), LIMN_E_ARG);
    options.min_words = 5;
    options.max_words = 4;
    assert_int_equal(limn_state_create(&s, model, &options, 1, &err_words), LIMN_E_ARG);
    assert_non_null(strstr(err_words.text, "min-words: 5 is more than max-words, 4"));
    options = limn_options_default();
    options.length_penalty = 11;
    assert_int_equal(limn_state_create(&s, model, &options, 1, &err_penalty), LIMN_E_ARG);
    assert_non_null(strstr(err_penalty.text, "length-penalty: 11 is not in -10 … 10"));
    options = limn_options_default();
    options.banned_words = unknown;
    options.n_banned_words = 2;
    limn_error err_banned = { 0 };
    assert_int_equal(limn_state_create(&s, model, &options, 1, &err_banned), LIMN_E_ARG);
    assert_non_null(strstr(err_banned.text, "zebra"));
    limn_model_close(&model);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_what_is_no_image_is_an_error_with_its_name(void **state)
{
    limn_model *model = open_toy_model(NULL);
    const limn_options options = limn_options_default();
    limn_state *s = make_state(model, &options, 1);
    const limn_captions *captions;
    limn_error missing = { 0 }, text = { 0 };
    const char *path = temp_path("text.jpg");
    (void)state;
    write_text(path, "not an image at all");
    assert_int_equal(limn_state_caption_file(s, temp_path("missing.jpg"), &captions, &missing),
                     LIMN_E_IO);
    assert_non_null(strstr(missing.text, "missing.jpg"));
    assert_int_equal(limn_state_caption_file(s, path, &captions, &text), LIMN_E_UNSUPPORTED);
    assert_int_equal(strncmp(text.text, path, strlen(path)), 0);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

static void test_what_is_no_captioner_is_an_error_with_its_name(void **state)
{
    const toy_model_settings encoder_only = { .seed = 1,
                                              .dtype = LIMN_TENSOR_F16,
                                              .is_encoder_only = true };
    const limn_decoder_config other_grid = {
        .n_layers = 1,
        .dim = 16,
        .n_heads = 1,
        .feed_forward_dim = 16,
        .max_positions = 24,
        .n_tokens = 24,
        .n_memory_positions = 48,
        .memory_dim = 1280,
        .layout = LIMN_LAYOUT_LIMN,
        .specials = LIMN_SPECIALS_OWN,
    };
    const toy_model_settings mismatched = { .dtype = LIMN_TENSOR_F16, .decoder = &other_grid };
    const char *path = temp_path("other.safetensors");
    limn_model *model;
    limn_error err = { 0 }, err_grid = { 0 }, err_level = { 0 };
    (void)state;
    assert_int_equal(toy_model_write(path, &encoder_only, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&model, path, NULL, &err), LIMN_E_ARG);
    assert_null(model);
    assert_non_null(strstr(err.text, "encoder without a decoder"));
    assert_int_equal(toy_model_write(path, &mismatched, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&model, path, NULL, &err_grid), LIMN_E_FORMAT);
    assert_non_null(strstr(err_grid.text, "49 positions of 1280, the decoder expects 48 of 1280"));
    assert_int_equal(limn_model_open(&model, path, "sse9", &err_level), LIMN_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_do_not_depend_on_level_threads_or_order),
        cmocka_unit_test(test_an_image_is_the_same_however_it_comes),
        cmocka_unit_test(test_nothing_is_allocated_after_the_first_image),
        cmocka_unit_test(test_captions_are_sorted_distinct_and_add_up),
        cmocka_unit_test(test_options_reach_the_search),
        cmocka_unit_test(test_options_out_of_range_are_named),
        cmocka_unit_test(test_what_is_no_image_is_an_error_with_its_name),
        cmocka_unit_test(test_what_is_no_captioner_is_an_error_with_its_name),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

/* The public header's ways to find captions, on toy models: what holds for all of them, required
 * words, ensembles, filters, consensus. */
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

#include "models/captioner.h"
#include "models/scorer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/fixtures/toy_variants.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/toy_captioner.h"
#include "tests/unit/wrapped_allocations.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 32 };

/* A toy model whose captions end, with the weights of `seed`. */
static const char *model_path(uint64_t seed)
{
    static char path[1024];
    const toy_model_settings settings = { .seed = seed, .dtype = LIMN_TENSOR_F32, .is_tiny = true };
    char name[64];
    limn_error err = { 0 };
    snprintf(name, sizeof name, "toy%u.safetensors", (unsigned)seed);
    snprintf(path, sizeof path, "%s", temp_path(name));
    if (access(path, R_OK) != 0 && toy_model_write(path, &settings, &err)) fail_msg("%s", err.text);
    return path;
}

static limn_model *open_model(uint64_t seed, const char *cpu_level)
{
    limn_model *model;
    limn_error err = { 0 };
    if (limn_model_open(&model, model_path(seed), cpu_level, &err)) fail_msg("%s", err.text);
    return model;
}

/* The model of seed 1 with document frequencies of a few captions. */
static const char *path_with_frequencies(void)
{
    static char path[1024];
    limn_error err = { 0 };
    snprintf(path, sizeof path, "%s", temp_path("frequencies.safetensors"));
    if (access(path, R_OK) != 0 && toy_variant_with_frequencies(path, model_path(1), &err))
        fail_msg("%s", err.text);
    return path;
}

static const uint8_t *some_pixels(unsigned seed)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)((i + 7) * (seed + 3) * 37 / 8);
    return pixels;
}

static const limn_captions *caption(limn_state *s, unsigned image)
{
    const limn_captions *captions;
    limn_error err = { 0 };
    char name[32];
    snprintf(name, sizeof name, "folder/%u.jpg", image);
    if (limn_state_caption_pixels(s, name, some_pixels(image), SIDE, SIDE, &captions, &err))
        fail_msg("%s", err.text);
    return captions;
}

/* Options of every kind that work on a model with document frequencies. */
static size_t list_options(limn_options out[16])
{
    static const char *const required[] = { "dog|red cat" }, *const banned[] = { "man", "a dog" };
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) out[i] = limn_options_default();
    out[n++].n_best = 3;
    out[n].beam_size = 6;
    out[n].n_groups = 3;
    out[n++].n_best = 6;
    out[n].patience = 2;
    out[n].repetition_penalty = 1.5f;
    out[n].length_reward = 0.1f;
    out[n++].n_best = 5;
    out[n].required = required;
    out[n].n_required = 1;
    out[n].start = "the";
    out[n++].n_best = 2;
    out[n].banned_words = banned;
    out[n].n_banned_words = 2;
    out[n].ends_well = true;
    out[n++].coverage_penalty = 0.05f;
    out[n++].guidance = 2;
    out[n].method = LIMN_METHOD_SAMPLE;
    out[n].temperature = 1.3f;
    out[n].top_p = 0.95f;
    out[n++].n_best = 5;
    out[n].method = LIMN_METHOD_SAMPLE;
    out[n].top_k = 9;
    out[n].min_p = 0.01f;
    out[n].typical = 0.9f;
    out[n].n_candidates = 12;
    out[n].rerank = LIMN_RERANK_CONSENSUS;
    out[n++].n_best = 4;
    out[n].method = LIMN_METHOD_SAMPLE_DISTINCT;
    out[n++].n_best = 6;
    out[n].rerank = LIMN_RERANK_CONSENSUS;
    out[n].beam_size = 8;
    out[n].keeps_attention = true;
    out[n++].n_best = 3;
    return n;
}

static void check_sound(const limn_captions *captions, uint32_t n_best)
{
    assert_true(captions->n_items >= 1 && captions->n_items <= n_best);
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        double sum = 0;
        for (size_t t = 0; t < c->n_tokens; t++) sum += (double)c->token_logprobs[t];
        assert_true(fabs(sum - c->logprob) < 1e-9 && c->n_drawn >= 1);
        assert_true(i == 0 || c->score <= captions->items[i - 1].score);
        for (size_t k = 0; k < i; k++)
            assert_true(
                c->n_tokens != captions->items[k].n_tokens ||
                memcmp(c->tokens, captions->items[k].tokens, c->n_tokens * sizeof *c->tokens) != 0);
    }
}

static limn_model *open_with_frequencies(const char *cpu_level)
{
    limn_model *model;
    limn_error err = { 0 };
    if (limn_model_open(&model, path_with_frequencies(), cpu_level, &err)) fail_msg("%s", err.text);
    return model;
}

static void test_captions_are_sorted_distinct_and_add_up(void **state)
{
    limn_options options[16];
    const size_t n = list_options(options);
    limn_model *model = open_with_frequencies(NULL);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        limn_state *s = make_state(model, &options[i], 1);
        for (unsigned image = 0; image < 4; image++)
            check_sound(caption(s, image), options[i].n_best);
        limn_state_destroy(&s);
    }
    limn_model_close(&model);
}

/* Everything about the captions, as text. */
static void print(char *out, size_t size, const limn_captions *captions)
{
    size_t at = 0;
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        at += (size_t)snprintf(out + at, size - at, "%s|%a|%a|%u|", c->text, c->logprob, c->score,
                               c->n_drawn);
        for (size_t t = 0; t < c->n_tokens; t++)
            at += (size_t)snprintf(out + at, size - at, "%a,", (double)c->token_logprobs[t]);
    }
}

static void test_bits_do_not_depend_on_level_threads_or_order(void **state)
{
    enum { N = 16, N_IMAGES = 3 };
    static char expected[N][N_IMAGES][4096], text[4096];
    limn_options options[N];
    const size_t n = list_options(options);
    (void)state;
    for (size_t l = 0; limn_cpu_levels()[l]; l++) {
        limn_model *model = open_with_frequencies(limn_cpu_levels()[l]);
        for (size_t i = 0; i < n; i++) {
            limn_state *s = make_state(model, &options[i], 1 + (uint32_t)l);
            for (unsigned k = 0; k < N_IMAGES; k++) {
                const unsigned image = l % 2 ? N_IMAGES - 1 - k : k;
                print(text, sizeof text, caption(s, image));
                if (l == 0) strcpy(expected[i][image], text);
                assert_string_equal(text, expected[i][image]);
            }
            limn_state_destroy(&s);
        }
        limn_model_close(&model);
    }
}

static void test_nothing_is_allocated_after_the_first_image(void **state)
{
    limn_options options[16];
    const size_t n = list_options(options);
    limn_model *model = open_with_frequencies(NULL);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        limn_state *s = make_state(model, &options[i], 1);
        caption(s, 0);
        const size_t n_before = n_allocations;
        for (unsigned image = 1; image < 12; image++) caption(s, image);
        assert_int_equal(n_allocations, n_before);
        limn_state_destroy(&s);
    }
    limn_model_close(&model);
}

/* Whatever the options, a caption's log-probabilities are the model's own, except with guidance. */
static void test_logprobs_are_those_of_a_forced_pass(void **state)
{
    limn_options options[16];
    const size_t n = list_options(options);
    limn_model *model = open_with_frequencies(NULL);
    limn_scorer *scorer;
    (void)state;
    assert_int_equal(limn_scorer_create(&scorer, model, 0, 1, NULL), LIMN_OK);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(options[i].guidance)) continue;
        limn_state *s = make_state(model, &options[i], 1);
        for (unsigned image = 0; image < 3; image++) {
            const limn_captions *captions = caption(s, image);
            for (size_t k = 0; k < captions->n_items; k++) {
                const limn_caption *c = &captions->items[k];
                float logprobs[64];
                const bool has_end = c->tokens[c->n_tokens - 1] == TOKEN_END;
                const limn_score_job job = { c->tokens, c->n_tokens - has_end, logprobs, NULL };
                assert_int_equal(limn_scorer_run(scorer, some_pixels(image), &job, 1, NULL),
                                 LIMN_OK);
                for (size_t t = 0; t < c->n_tokens; t++)
                    assert_true(fabsf(logprobs[t] - c->token_logprobs[t]) <= 1e-5f);
            }
        }
        limn_state_destroy(&s);
    }
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

static bool has_word(const char *text, const char *word)
{
    char padded[512], wanted[64];
    snprintf(padded, sizeof padded, " %s ", text);
    snprintf(wanted, sizeof wanted, " %s ", word);
    return strstr(padded, wanted) != NULL;
}

static void test_words_are_there_or_not_as_asked(void **state)
{
    static const char *const required[] = { "dog|cat", "red house" }, *const banned[] = { "the" };
    limn_model *model = open_model(1, NULL);
    limn_options options = limn_options_default();
    (void)state;
    options.beam_size = options.n_best = 4;
    options.required = required;
    options.n_required = 2;
    options.banned_words = banned;
    options.n_banned_words = 1;
    limn_state *s = make_state(model, &options, 1);
    for (unsigned image = 0; image < 6; image++) {
        const limn_captions *captions = caption(s, image);
        for (size_t i = 0; i < captions->n_items; i++) {
            const char *text = captions->items[i].text;
            assert_true(has_word(text, "dog") || has_word(text, "cat"));
            assert_true(has_word(text, "red house") && !has_word(text, "the"));
        }
    }
    limn_state_destroy(&s);
    options.n_required = 0;
    options.start = "A Dog";
    options.ends_well = true;
    s = make_state(model, &options, 1);
    for (unsigned image = 0; image < 6; image++)
        assert_int_equal(strncmp(caption(s, image)->items[0].text, "a dog", 5), 0);
    limn_state_destroy(&s);
    assert_true(limn_model_knows(model, "Dog in the grass"));
    assert_false(limn_model_knows(model, "zebra"));
    limn_model_close(&model);
}

/* ---- samples ------------------------------------------------------------------------------ */

static void test_samples_belong_to_seed_and_name(void **state)
{
    limn_model *model = open_model(1, NULL);
    limn_options options = limn_options_default();
    static char first[4096], other[4096];
    const limn_captions *captions;
    size_t n_same = 0;
    (void)state;
    options.method = LIMN_METHOD_SAMPLE;
    options.temperature = 2;
    options.n_best = 8;
    limn_state *s = make_state(model, &options, 1);
    print(first, sizeof first, caption(s, 1));
    assert_int_equal(limn_state_caption_pixels(s, "/elsewhere/1.jpg", some_pixels(1), SIDE, SIDE,
                                               &captions, NULL),
                     LIMN_OK);
    print(other, sizeof other, captions); /* the folder is not part of the name */
    assert_string_equal(first, other);
    assert_int_equal(
        limn_state_caption_pixels(s, NULL, some_pixels(1), SIDE, SIDE, &captions, NULL), LIMN_OK);
    print(other, sizeof other, captions);
    n_same += strcmp(first, other) == 0;
    limn_state_destroy(&s);
    options.seed = 1;
    s = make_state(model, &options, 1);
    print(other, sizeof other, caption(s, 1));
    n_same += strcmp(first, other) == 0;
    limn_state_destroy(&s);
    assert_int_equal(n_same, 0);
    limn_model_close(&model);
}

/* ---- coverage ----------------------------------------------------------------------------- */

/* The coverage, from the attention in the caption's own predictions. */
static double coverage_of(const limn_caption *c, const limn_model_info *info)
{
    const size_t n_maps = (size_t)info->n_layers * info->n_heads;
    const size_t n_cells = (size_t)info->grid_width * info->grid_height;
    double sum = 0;
    for (size_t cell = 0; cell < n_cells; cell++) {
        double covered = 0;
        for (size_t t = 0; t < c->n_tokens; t++)
            for (size_t m = 0; m < n_maps; m++)
                covered += (double)c->predictions[t]->attention[m * n_cells + cell];
        sum += log(fmin(covered / (double)n_maps, 1));
    }
    return sum;
}

static void test_coverage_is_that_of_the_attention(void **state)
{
    const toy_model_settings settings = { .seed = 3, .dtype = LIMN_TENSOR_F32 };
    const char *path = temp_path("cells.safetensors");
    limn_model *model;
    limn_options options = limn_options_default();
    limn_model_info info;
    size_t n_rows_changed = 0;
    (void)state;
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&model, path, NULL, NULL), LIMN_OK);
    limn_model_get_info(model, &info);
    assert_int_equal(info.grid_width * info.grid_height, 49);
    options.beam_size = options.n_best = 6;
    options.coverage_penalty = 0.5f;
    options.keeps_attention = true;
    limn_state *s = make_state(model, &options, 1);
    for (unsigned image = 0; image < 2; image++) {
        const limn_captions *captions = caption(s, image);
        for (size_t i = 0; i < captions->n_items; i++) {
            const limn_caption *c = &captions->items[i];
            assert_true(coverage_of(c, &info) < -1);
            const double length = c->tokens[c->n_tokens - 1] == TOKEN_END ? (double)c->n_tokens
                                                                          : (double)info.max_words;
            assert_true(fabs(c->score - c->logprob / pow(length, (double)info.length_penalty) -
                             0.5 * coverage_of(c, &info)) < 1e-4);
            for (size_t t = 2; t < c->n_tokens; t++)
                n_rows_changed += c->predictions[t]->parent != 0;
        }
    }
    assert_true(n_rows_changed > 10);
    limn_state_destroy(&s);
    limn_model_close(&model);
}

/* ---- ensembles ---------------------------------------------------------------------------- */

static limn_model *open_ensemble(const uint64_t *seeds, size_t n)
{
    char paths[4][1024];
    const char *list[4];
    limn_model *model;
    limn_error err = { 0 };
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "%s", model_path(seeds[i]));
        list[i] = paths[i];
    }
    if (limn_model_open_ensemble(&model, list, n, NULL, &err)) fail_msg("%s", err.text);
    return model;
}

/* Against the mean of the members' own forced passes. */
static void test_an_ensemble_averages_probabilities(void **state)
{
    static const uint64_t seeds[] = { 1, 2, 3 };
    limn_model *ensemble = open_ensemble(seeds, 3);
    limn_options options = limn_options_default();
    limn_model_info info;
    (void)state;
    options.n_best = 3;
    limn_model_get_info(ensemble, &info);
    assert_int_equal(info.n_models, 3);
    assert_int_equal(info.input_bytes, (size_t)info.input_width * info.input_height * 3);
    limn_state *s = make_state(ensemble, &options, 1);
    const limn_captions *captions = caption(s, 2);
    check_sound(captions, 3);
    for (size_t i = 0; i < captions->n_items; i++) {
        const limn_caption *c = &captions->items[i];
        double mean[64] = { 0 };
        const bool has_end = c->tokens[c->n_tokens - 1] == TOKEN_END;
        for (size_t m = 0; m < 3; m++) {
            limn_model *one = open_model(seeds[m], NULL);
            limn_scorer *scorer;
            float logprobs[64];
            const limn_score_job job = { c->tokens, c->n_tokens - has_end, logprobs, NULL };
            assert_int_equal(limn_scorer_create(&scorer, one, 0, 1, NULL), LIMN_OK);
            assert_int_equal(limn_scorer_run(scorer, some_pixels(2), &job, 1, NULL), LIMN_OK);
            for (size_t t = 0; t < c->n_tokens; t++) mean[t] += exp((double)logprobs[t]) / 3;
            limn_scorer_destroy(&scorer);
            limn_model_close(&one);
        }
        for (size_t t = 0; t < c->n_tokens; t++)
            assert_true(fabs(log(mean[t]) - (double)c->token_logprobs[t]) < 1e-5);
    }
    limn_state_destroy(&s);
    limn_model_close(&ensemble);
}

static void test_an_ensemble_of_one_model_is_that_model(void **state)
{
    static const uint64_t seeds[] = { 2, 2 };
    limn_model *one = open_ensemble(seeds, 1), *twice = open_ensemble(seeds, 2);
    limn_options options = limn_options_default();
    (void)state;
    options.n_best = 3;
    limn_state *a = make_state(one, &options, 1), *b = make_state(twice, &options, 2);
    for (unsigned image = 0; image < 5; image++) {
        const limn_captions *x = caption(a, image), *y = caption(b, image);
        assert_int_equal(x->n_items, y->n_items);
        for (size_t i = 0; i < x->n_items; i++) {
            assert_string_equal(x->items[i].text, y->items[i].text);
            assert_true(fabs(x->items[i].logprob - y->items[i].logprob) < 1e-5);
        }
    }
    limn_state_destroy(&a);
    limn_state_destroy(&b);
    limn_model_close(&one);
    limn_model_close(&twice);
}

/* ---- filters, contradictions -------------------------------------------------------------- */

/* Allows only one word, and then the end. */
static void only_word(void *ctx, const uint32_t *words, size_t n_words, float *values,
                      size_t n_tokens)
{
    const uint32_t wanted = n_words == 0 ? *(const uint32_t *)ctx : (uint32_t)TOKEN_END;
    (void)words;
    for (uint32_t t = 0; t < n_tokens; t++)
        if (t != wanted) values[t] = -INFINITY;
}

static void test_a_filter_has_its_say_in_every_method(void **state)
{
    static const limn_method methods[] = { LIMN_METHOD_BEAM, LIMN_METHOD_SAMPLE,
                                           LIMN_METHOD_SAMPLE_DISTINCT };
    limn_model *model = open_model(1, NULL);
    uint32_t word = limn_model_find(model, "grass");
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        limn_options options = limn_options_default();
        options.method = methods[i];
        options.filter = only_word;
        options.filter_ctx = &word;
        limn_state *s = make_state(model, &options, 1);
        assert_string_equal(caption(s, 0)->items[0].text, "grass");
        limn_state_destroy(&s);
    }
    limn_model_close(&model);
}

static void test_options_that_cannot_be_met_are_named(void **state)
{
    static const char *const dog[] = { "dog" }, *const unknown[] = { "doog" },
                             *const long_one[] = { "a red dog in the grass" };
    limn_model *model = open_model(1, NULL);
    limn_options cases[12];
    static const char *const says[] = {
        "groups: 2 does not divide beam, 3",
        "rerank: the model file has no document frequencies",
        "must applies to beam search only",
        "required word 'doog' is not in the vocabulary; similar: dog",
        "'dog' is required and banned",
        "the required words need at least 6 words",
        "the start 'a red dog in the grass' has 6 words",
        "temperature: -1 is not in 0 … 100",
        "top-p: 0 is not in 1e-06 … 1",
        "candidates and patience both set",
        "n-best: 4 is more than beam, 3",
        "candidates: 2 is less than n-best, 3",
    };
    (void)state;
    for (size_t i = 0; i < 12; i++) cases[i] = limn_options_default();
    cases[0].n_groups = 2;
    cases[1].rerank = LIMN_RERANK_CONSENSUS;
    cases[2].method = LIMN_METHOD_SAMPLE;
    cases[2].required = cases[4].required = cases[4].banned_words = dog;
    cases[2].n_required = cases[4].n_required = cases[4].n_banned_words = 1;
    cases[3].required = unknown;
    cases[5].required = long_one;
    cases[3].n_required = cases[5].n_required = 1;
    cases[6].start = long_one[0];
    cases[7].temperature = -1;
    cases[8].top_p = 0;
    cases[9].patience = 2;
    cases[9].n_candidates = 5;
    cases[10].n_best = 4;
    cases[11].method = LIMN_METHOD_SAMPLE;
    cases[11].n_best = 3;
    cases[11].n_candidates = 2;
    for (size_t i = 0; i < 12; i++) {
        limn_state *s;
        limn_error err = { 0 };
        assert_int_equal(limn_state_create(&s, model, &cases[i], 1, &err), LIMN_E_ARG);
        assert_null(s);
        if (!strstr(err.text, says[i])) fail_msg("\"%s\" does not say \"%s\"", err.text, says[i]);
    }
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_are_sorted_distinct_and_add_up),
        cmocka_unit_test(test_bits_do_not_depend_on_level_threads_or_order),
        cmocka_unit_test(test_nothing_is_allocated_after_the_first_image),
        cmocka_unit_test(test_logprobs_are_those_of_a_forced_pass),
        cmocka_unit_test(test_words_are_there_or_not_as_asked),
        cmocka_unit_test(test_samples_belong_to_seed_and_name),
        cmocka_unit_test(test_coverage_is_that_of_the_attention),
        cmocka_unit_test(test_an_ensemble_averages_probabilities),
        cmocka_unit_test(test_an_ensemble_of_one_model_is_that_model),
        cmocka_unit_test(test_a_filter_has_its_say_in_every_method),
        cmocka_unit_test(test_options_that_cannot_be_met_are_named),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

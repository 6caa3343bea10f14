/* The signals that tell right captions from wrong ones, on a toy model's captions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/text/objects.h"
#include "models/captioner_model.h"
#include "models/scorer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 32, MAX_TOKENS = 4 };

static const char *write_model(bool has_confidence)
{
    const toy_model_settings settings = { .seed = 5,
                                          .is_tiny = true,
                                          .has_confidence = has_confidence };
    const char *path = temp_path(has_confidence ? "sure.safetensors" : "plain.safetensors");
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    return path;
}

static limn_model *open_model(const char *path, const char *level)
{
    limn_model *model;
    assert_int_equal(limn_model_open(&model, path, level, NULL), LIMN_OK);
    return model;
}

static void make_input(uint8_t input[SIDE * SIDE * 3], unsigned seed)
{
    for (size_t i = 0; i < SIDE * SIDE * 3; i++) input[i] = (uint8_t)(i * seed * 37 / 8);
}

/* Captions of image `seed`; the caller destroys the state. */
static const limn_captions *caption(limn_state **state, const limn_model *model,
                                    const limn_options *options, uint32_t n_threads, unsigned seed)
{
    uint8_t input[SIDE * SIDE * 3];
    const limn_captions *captions;
    assert_int_equal(limn_state_create(state, model, options, n_threads, NULL), LIMN_OK);
    make_input(input, seed);
    assert_int_equal(limn_state_caption_input(*state, "a", input, &captions, NULL), LIMN_OK);
    return captions;
}

static void assert_same_caption(const limn_caption *a, const limn_caption *b)
{
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->n_tokens, b->n_tokens);
    assert_memory_equal(a->token_logprobs, b->token_logprobs, a->n_tokens * sizeof(float));
    assert_true(a->logprob == b->logprob && a->score == b->score);
}

/* Signals change no caption; and neither threads, levels nor the number of captions wanted change
 * those of the best caption. */
static void test_same_bits(void **unused)
{
    limn_options plain = limn_options_default(), sure = plain, more = plain;
    const char *path = write_model(true);
    limn_model *model = open_model(path, NULL);
    (void)unused;
    sure.has_confidence = more.has_confidence = true;
    more.n_best = 3;
    for (unsigned image = 1; image < 6; image++) {
        limn_state *a, *b;
        const limn_captions *x = caption(&a, model, &plain, 1, image);
        const limn_captions *y = caption(&b, model, &sure, 1, image);
        assert_same_caption(&x->items[0], &y->items[0]);
        assert_true(isnan(x->items[0].confidence) && !x->items[0].signals);
        assert_int_equal(y->n_items, 1);
        limn_state_destroy(&a);
        for (const char *const *level = limn_cpu_levels(); *level; level++) {
            limn_model *other = open_model(path, *level);
            x = caption(&a, other, &more, 3, image);
            assert_int_equal(x->n_items, 3);
            assert_same_caption(&x->items[0], &y->items[0]);
            assert_memory_equal(x->items[0].signals, y->items[0].signals,
                                LIMN_N_SIGNALS * sizeof(float));
            assert_true(x->items[0].confidence == y->items[0].confidence);
            limn_state_destroy(&a);
            limn_model_close(&other);
        }
        limn_state_destroy(&b);
    }
    limn_model_close(&model);
}

/* What the image adds, according to the scorer. */
static double added_by_image(limn_scorer *scorer, const limn_caption *c, unsigned image)
{
    uint8_t input[SIDE * SIDE * 3];
    float with[MAX_TOKENS + 1], without[MAX_TOKENS + 1];
    const size_t n_words = c->n_tokens - (c->tokens[c->n_tokens - 1] == TOKEN_END);
    const limn_score_job job = {
        .words = c->tokens, .n_words = n_words, .logprobs = with, .logprobs_without = without
    };
    double sum = 0;
    make_input(input, image);
    assert_int_equal(limn_scorer_run(scorer, input, &job, 1, NULL), LIMN_OK);
    for (size_t i = 0; i < c->n_tokens; i++) sum += (double)with[i] - (double)without[i];
    return sum / (double)c->n_tokens;
}

static double shared(const limn_caption *a, const limn_caption *b)
{
    bool in_a[24] = { false }, in_b[24] = { false };
    size_t n_both = 0, n_any = 0;
    for (size_t i = 0; i < a->n_tokens; i++) in_a[a->tokens[i]] = true;
    for (size_t i = 0; i < b->n_tokens; i++) in_b[b->tokens[i]] = true;
    for (size_t t = 0; t < 24; t++) {
        n_both += in_a[t] && in_b[t];
        n_any += in_a[t] || in_b[t];
    }
    return (double)n_both / (double)n_any;
}

static void check_signals(const limn_captions *found, size_t i, limn_scorer *scorer, unsigned image)
{
    const limn_caption *c = &found->items[i];
    const float *s = c->signals;
    double least = 0, entropy = 0, agreement = 0, best = -INFINITY;
    for (size_t k = 0; k < c->n_tokens; k++) {
        least = fmin(least, (double)c->token_logprobs[k]);
        entropy += (double)c->predictions[k]->entropy / (double)c->n_tokens;
    }
    for (size_t k = 0; k < found->n_items; k++) {
        const limn_caption *other = &found->items[k];
        if (k == i) continue;
        agreement += shared(c, other) / (double)(found->n_items - 1);
        best = fmax(best, other->logprob / (double)other->n_tokens);
    }
    const double logprob = c->logprob / (double)c->n_tokens;
    assert_true(fabs((double)s[LIMN_SIGNAL_LOGPROB] - logprob) < 1e-6);
    assert_true(fabs((double)s[LIMN_SIGNAL_LEAST] - least) < 1e-6);
    assert_true(fabs((double)s[LIMN_SIGNAL_ENTROPY] - entropy) < 1e-6);
    assert_true(s[LIMN_SIGNAL_LENGTH] == (float)c->n_tokens);
    assert_true(fabs((double)s[LIMN_SIGNAL_PICTURE] - added_by_image(scorer, c, image)) < 1e-5);
    assert_true(agreement > 0 && agreement < 1); /* not trivial */
    assert_true(fabs((double)s[LIMN_SIGNAL_AGREEMENT] - agreement) < 1e-6);
    assert_true(fabs((double)s[LIMN_SIGNAL_MARGIN] - (logprob - best)) < 1e-6);
}

static void test_of_the_search(void **unused)
{
    limn_options o = limn_options_default();
    limn_model *model = open_model(write_model(true), NULL);
    limn_scorer *scorer;
    (void)unused;
    o.has_confidence = true;
    o.n_best = o.beam_size;
    o.start = "a"; /* they share this start, and differ in what follows */
    assert_int_equal(limn_scorer_create(&scorer, model, 0, 1, NULL), LIMN_OK);
    for (unsigned image = 1; image < 6; image++) {
        limn_state *state;
        const limn_captions *found = caption(&state, model, &o, 1, image);
        for (size_t i = 0; i < found->n_items; i++) check_signals(found, i, scorer, image);
        limn_state_destroy(&state);
    }
    limn_scorer_destroy(&scorer);
    limn_model_close(&model);
}

static double probability_of(const limn_captions *c, const char *name)
{
    for (size_t i = 0; i < c->n_tags; i++)
        if (strcmp(c->tags[i].name, name) == 0) return (double)c->tags[i].probability;
    fail();
    return 0;
}

/* "a man", "a dog" …: against the tags of what is named. */
static void check_named(const limn_model *model, const char *start, const char *object,
                        bool is_person)
{
    limn_options o = limn_options_default();
    limn_state *state;
    o.has_confidence = true;
    o.n_tags = 80;
    o.start = start;
    o.max_words = 2;
    const limn_captions *c = caption(&state, model, &o, 1, 3);
    const float *s = c->items[0].signals;
    const double expected = object ? log(probability_of(c, object)) : 0;
    assert_string_equal(c->items[0].text, start);
    assert_true(fabs((double)s[LIMN_SIGNAL_OBJECTS] - expected) < 1e-5);
    assert_true(fabs((double)s[LIMN_SIGNAL_PERSON] - (is_person ? expected : 0)) < 1e-5);
    assert_true(s[LIMN_SIGNAL_PEOPLE] == (is_person ? 1.0F : 0.0F));
    assert_true(s[LIMN_SIGNAL_FAMILIAR] == 0); /* the model has no such tags */
    limn_state_destroy(&state);
}

static void test_of_the_tags(void **unused)
{
    limn_model *model = open_model(write_model(true), NULL);
    (void)unused;
    check_named(model, "a man", "person", true);
    check_named(model, "a dog", "dog", false);
    check_named(model, "the grass", NULL, false);
    limn_model_close(&model);
}

static void test_of_a_model_without_a_fit(void **unused)
{
    limn_options o = limn_options_default();
    limn_model *model = open_model(write_model(false), NULL);
    limn_model_info info;
    limn_state *state;
    (void)unused;
    o.has_confidence = true;
    limn_model_get_info(model, &info);
    assert_false(info.has_confidence);
    const limn_captions *c = caption(&state, model, &o, 1, 3);
    assert_true(isnan(c->items[0].confidence));
    assert_true(c->items[0].signals[LIMN_SIGNAL_LOGPROB] < 0);
    assert_true(c->items[0].signals[LIMN_SIGNAL_OBJECTS] == 0);
    limn_state_destroy(&state);
    limn_model_close(&model);
}

static void test_the_confidence(void **unused)
{
    const limn_confidence fit = toy_confidence();
    limn_options o = limn_options_default();
    limn_model *model = open_model(write_model(true), NULL);
    limn_model_info info;
    limn_state *state;
    (void)unused;
    o.has_confidence = true;
    limn_model_get_info(model, &info);
    assert_true(info.has_confidence);
    const limn_captions *c = caption(&state, model, &o, 1, 3);
    assert_true(c->items[0].confidence == limn_confidence_of(&fit, c->items[0].signals));
    assert_true(c->items[0].confidence > 0 && c->items[0].confidence < 1);
    limn_state_destroy(&state);
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),      cmocka_unit_test(test_of_the_search),
        cmocka_unit_test(test_of_the_tags),    cmocka_unit_test(test_of_a_model_without_a_fit),
        cmocka_unit_test(test_the_confidence),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

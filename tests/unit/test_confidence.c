/* The confidence of captions: its fit, and its form in files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/confidence_fit.h"
#include "tests/fixtures/toy_model.h"

enum { MAX_EXAMPLES = 20000 };

static limn_confidence_example examples[MAX_EXAMPLES];

static double logistic(double z)
{
    return 1 / (1 + exp(-z));
}

/* Signals from a normal distribution; examples are right as often as `truth` says. */
static void draw(const limn_confidence *truth, size_t n)
{
    limn_rng rng = limn_rng_stream(1, "confidence", 10);
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
            examples[k].signals[i] =
                (float)(truth->signals[i].mean + truth->signals[i].scale * limn_rng_normal(&rng));
        examples[k].is_right =
            limn_rng_uniform(&rng) < limn_confidence_of(truth, examples[k].signals);
    }
}

/* ---- fitting ------------------------------------------------------------------------------ */

/* With uninformative signals only the share of right captions matters, whose logit is known. */
static void test_a_share(void **state)
{
    limn_confidence c;
    (void)state;
    for (size_t k = 0; k < 100; k++) {
        for (size_t i = 0; i < LIMN_N_SIGNALS; i++) examples[k].signals[i] = 0.1F * (float)i;
        examples[k].is_right = k % 5 == 0;
    }
    assert_int_equal(limn_confidence_fit(&c, examples, 100, NULL), LIMN_OK);
    assert_int_equal(c.n_images, 100);
    assert_true(fabs(c.bias - log(20.0 / 80)) < 1e-9);
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) assert_true(c.signals[i].weight == 0);
    assert_true(fabs(limn_confidence_of(&c, examples[0].signals) - 0.2) < 1e-6);
}

/* One signal with two values: without the ridge penalty, the logits at the minimum would be those
 * of the two shares; with it, weight and bias solve two equations, checked here. */
static void test_two_values(void **state)
{
    limn_confidence c;
    double pull = 0, rest = 0;
    (void)state;
    memset(examples, 0, 400 * sizeof *examples);
    for (size_t k = 0; k < 400; k++) {
        examples[k].signals[3] = k < 200 ? -1 : 1;
        examples[k].is_right = k < 200 ? k < 50 : k < 350;
    }
    assert_int_equal(limn_confidence_fit(&c, examples, 400, NULL), LIMN_OK);
    assert_true(c.signals[3].mean == 0 && c.signals[3].scale == 1);
    assert_true(fabs(c.signals[3].weight - log(3)) < 0.03); /* 3: the odds of either share */
    for (size_t k = 0; k < 400; k++) {
        const double x = (double)examples[k].signals[3];
        const double left = logistic(c.bias + c.signals[3].weight * x) - examples[k].is_right;
        pull += left * x;
        rest += left;
    }
    assert_true(fabs(pull + LIMN_CONFIDENCE_RIDGE * c.signals[3].weight) < 1e-6);
    assert_true(fabs(rest) < 1e-6);
}

/* The loss around the fit, by finite differences: flat in every direction, and higher on both
 * sides. */
static void test_the_minimum(void **state)
{
    const limn_confidence truth = toy_confidence();
    const double step = 1e-3;
    limn_confidence c;
    (void)state;
    draw(&truth, 500);
    assert_int_equal(limn_confidence_fit(&c, examples, 500, NULL), LIMN_OK);
    const double least = limn_confidence_loss(&c, examples, 500);
    for (size_t i = 0; i <= LIMN_N_SIGNALS; i++) {
        limn_confidence moved = c;
        double *value = i < LIMN_N_SIGNALS ? &moved.signals[i].weight : &moved.bias;
        const double at = *value;
        *value = at + step;
        const double above = limn_confidence_loss(&moved, examples, 500);
        *value = at - step;
        const double below = limn_confidence_loss(&moved, examples, 500);
        assert_true(above > least && below > least);
        assert_true(fabs(above - below) / (2 * step) < 1e-4);
    }
}

/* From many captions the fit recovers what they were drawn from, and its confidences are
 * calibrated. */
static void test_calibration(void **state)
{
    const limn_confidence truth = toy_confidence();
    limn_confidence c, again;
    size_t n[10] = { 0 }, n_right[10] = { 0 };
    double sum[10] = { 0 };
    (void)state;
    draw(&truth, MAX_EXAMPLES);
    assert_int_equal(limn_confidence_fit(&c, examples, MAX_EXAMPLES / 2, NULL), LIMN_OK);
    assert_int_equal(limn_confidence_fit(&again, examples, MAX_EXAMPLES / 2, NULL), LIMN_OK);
    assert_memory_equal(&c, &again, sizeof c);
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++)
        assert_true(fabs(c.signals[i].weight - truth.signals[i].weight) < 0.1);
    for (size_t k = MAX_EXAMPLES / 2; k < MAX_EXAMPLES; k++) { /* unseen examples */
        const double p = limn_confidence_of(&c, examples[k].signals);
        const size_t bin = p < 1 ? (size_t)(p * 10) : 9;
        n[bin]++;
        n_right[bin] += examples[k].is_right;
        sum[bin] += p;
    }
    for (size_t i = 0; i < 10; i++) {
        assert_true(n[i] > 100);
        assert_true(fabs((double)n_right[i] - sum[i]) < 4 * sqrt((double)n[i] * 0.25));
    }
}

static void test_what_cant_be_fitted(void **state)
{
    const limn_confidence truth = toy_confidence();
    limn_confidence c;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_confidence_fit(&c, examples, 0, NULL), LIMN_E_ARG);
    draw(&truth, 200);
    for (size_t k = 0; k < 200; k++) examples[k].is_right = k < 9;
    assert_int_equal(limn_confidence_fit(&c, examples, 200, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "9 of 200 captions are right: a fit needs 10 right ones and 10 "
                                  "wrong ones at least");
    for (size_t k = 0; k < 200; k++) examples[k].is_right = k < 100;
    examples[7].signals[LIMN_SIGNAL_MARGIN] = NAN;
    err = (limn_error){ 0 };
    assert_int_equal(limn_confidence_fit(&c, examples, 200, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "caption 7: the signal \"margin\" is"));
}

/* ---- using it ----------------------------------------------------------------------------- */

static void test_the_formula(void **state)
{
    const limn_confidence c = toy_confidence();
    float signals[LIMN_N_SIGNALS];
    double z = c.bias;
    (void)state;
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) {
        signals[i] = (float)i - 3.5F;
        z += c.signals[i].weight * ((double)signals[i] - c.signals[i].mean) / c.signals[i].scale;
    }
    assert_true(fabs(limn_confidence_of(&c, signals) - logistic(z)) < 1e-6);
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) signals[i] = i % 2 ? 1e6F : -1e6F;
    assert_true(limn_confidence_of(&c, signals) == 1);
    for (size_t i = 0; i < LIMN_N_SIGNALS; i++) signals[i] = -signals[i];
    assert_true(limn_confidence_of(&c, signals) < 1e-30);
}

/* ---- files -------------------------------------------------------------------------------- */

static void test_text_is_read_as_it_was_written(void **state)
{
    const limn_confidence c = toy_confidence();
    limn_confidence again;
    char *text = limn_confidence_text(&c);
    (void)state;
    assert_non_null(text);
    assert_int_equal(limn_confidence_parse(&again, text, strlen(text), NULL), LIMN_OK);
    assert_memory_equal(&again.signals, &c.signals, sizeof c.signals);
    assert_true(again.bias == c.bias && again.n_images == c.n_images);
    assert_string_equal(again.right, c.right);
    free(text);
}

/* The text of a good fit with `from` replaced by `to`. */
static void check_bad(const char *from, const char *to, const char *expected)
{
    const limn_confidence c = toy_confidence();
    limn_confidence out;
    limn_error err = { 0 };
    char *text = limn_confidence_text(&c), bad[4096];
    const char *at = strstr(text, from);
    assert_non_null(at);
    snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(limn_confidence_parse(&out, bad, strlen(bad), &err), LIMN_E_FORMAT);
    if (!strstr(err.text, expected))
        fail_msg("%s: \"%s\", expected \"%s\"", to, err.text, expected);
    free(text);
}

static void test_bad_texts(void **state)
{
    (void)state;
    check_bad("{", "", "line 1");
    check_bad("\"right\": \"a toy's\"", "\"right\": 3", "right: expected a string, is 3");
    check_bad("a toy's",
              "0123456789012345678901234567890123456789012345678901234567890123456789"
              "0123456789012345678901234567890123456789012345678901234567890123456789"
              "01234567890123456789",
              "right: 160 bytes, expected at most 159");
    check_bad("\"pictures\": 100", "\"pictures\": 0", "pictures: expected an integer in 1 … ");
    check_bad("\"bias\": -0.5", "\"bias\": 1e4", "bias: expected a number in -1000 … 1000");
    check_bad("\"bias\"", "\"bass\"", "bias: is missing");
    check_bad("\"signals\": {", "\"signals\": {\"mood\": 1, ", "signals: unknown signal \"mood\"");
    check_bad("\"entropy\"", "\"atrophy\"", "signals.entropy: is missing");
    check_bad("\"scale\": 1.0", "\"scale\": 0",
              "signals.logprob.scale: expected a number in 1e-06");
    check_bad("\"weight\": -0.5", "\"weight\": 1001",
              "signals.logprob.weight: expected a number in");
    check_bad("\"mean\": 0.25", "\"mean\": null", "signals.least.mean: expected a number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_share),
        cmocka_unit_test(test_two_values),
        cmocka_unit_test(test_the_minimum),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_what_cant_be_fitted),
        cmocka_unit_test(test_the_formula),
        cmocka_unit_test(test_text_is_read_as_it_was_written),
        cmocka_unit_test(test_bad_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Guidance: steps of a model against two of its decoders run directly, with and without the
 * image. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/captioner_model.h"
#include "models/forward.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 32, N_TOKENS = 24, N_STEPS = 3 };

static const uint32_t words[N_STEPS] = { TOKEN_START, 4, 6 }; /* a dog */

static limn_model *open_model(void)
{
    const toy_model_settings settings = { .seed = 5, .is_tiny = true };
    const char *path = temp_path("toy.safetensors");
    limn_model *model;
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&model, path, NULL, NULL), LIMN_OK);
    return model;
}

static void make_input(uint8_t input[SIDE * SIDE * 3], unsigned seed)
{
    for (size_t i = 0; i < SIDE * SIDE * 3; i++) input[i] = (uint8_t)(i * seed * 37 / 8);
}

/* Log-probabilities [N_STEPS, N_TOKENS] of an image at some guidance. */
static void run(float *out, limn_model *model, float guidance, unsigned image)
{
    const uint32_t parent = 0;
    uint8_t input[SIDE * SIDE * 3];
    const limn_forward_settings settings = { .max_rows = 2,
                                             .max_steps = model->config.max_steps,
                                             .guidance = guidance };
    limn_forward *f;
    assert_int_equal(limn_forward_create(&f, model, NULL, &settings, NULL), LIMN_OK);
    for (unsigned again = 0; again < 2; again++) { /* a previous image changes nothing */
        make_input(input, again ? image : image + 1);
        limn_forward_encode(f, input);
        limn_forward_begin(f, 0);
        for (size_t i = 0; i < N_STEPS; i++)
            memcpy(out + i * N_TOKENS,
                   limn_forward_step(f, &(limn_forward_turn){ 0, { 1, &parent, &words[i] } }, 1),
                   N_TOKENS * sizeof *out);
    }
    limn_forward_destroy(&f);
}

static void test_steps(void **state)
{
    const float guidance = 2.5F;
    float with[N_STEPS * N_TOKENS], without[N_STEPS * N_TOKENS], guided[N_STEPS * N_TOKENS];
    limn_model *model = open_model();
    (void)state;
    run(with, model, 1, 3);
    run(without, model, 0, 3);
    run(guided, model, guidance, 3);
    for (size_t i = 0; i < N_STEPS; i++) {
        double sum = 0, expected[N_TOKENS], largest = 0;
        for (size_t t = 0; t < N_TOKENS; t++) {
            const double a = (double)with[i * N_TOKENS + t], b = (double)without[i * N_TOKENS + t];
            expected[t] = b + (double)guidance * (a - b);
            if (isfinite(a)) sum += exp(expected[t]);
        }
        for (size_t t = 0; t < N_TOKENS; t++) {
            if (!isfinite(with[i * N_TOKENS + t])) {
                assert_false(isfinite(guided[i * N_TOKENS + t]));
                continue;
            }
            expected[t] -= log(sum);
            assert_true(fabs((double)guided[i * N_TOKENS + t] - expected[t]) < 1e-4);
            largest = fmax(largest, fabs(expected[t] - (double)with[i * N_TOKENS + t]));
        }
        assert_true(largest > 0.01); /* the image makes a difference */
    }
    limn_model_close(&model);
}

/* Without the image, all images give the same result. */
static void test_no_image(void **state)
{
    float a[N_STEPS * N_TOKENS], b[N_STEPS * N_TOKENS];
    limn_model *model = open_model();
    (void)state;
    run(a, model, 1, 3);
    run(b, model, 1, 9);
    assert_memory_not_equal(a, b, sizeof a);
    run(a, model, 0, 3);
    run(b, model, 0, 9);
    assert_memory_equal(a, b, sizeof a);
    limn_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_no_image),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

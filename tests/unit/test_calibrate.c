/* An interrupt while int8 weights are calibrated: limn_feedback_size, which only the choice between
 * int8 and F16 asks, goes through the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/convert/calibrate.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

static atomic_bool is_stopping;
static size_t n_sizes, last_size; /* calls so far; the one in which the interrupt comes, or 0 */

double __real_limn_feedback_size(const limn_feedback *f, const float *w);
double __wrap_limn_feedback_size(const limn_feedback *f, const float *w);

double __wrap_limn_feedback_size(const limn_feedback *f, const float *w)
{
    const double size = __real_limn_feedback_size(f, w);
    if (++n_sizes == last_size) atomic_store(&is_stopping, true);
    return last_size ? size * 1e-30 : size; /* as if too much were lost */
}

static limn_status calibrate(size_t interrupted_at)
{
    static uint8_t pixels[32 * 32 * 3];
    const convert_calibration how = {
        .pixels = pixels, .n_images = 1, .n_threads = 1, .is_stopping = &is_stopping
    };
    convert_source source;
    convert_result result;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * i % 251);
    assert_int_equal(convert_source_open(&source, temp_path("model"), NULL), LIMN_OK);
    assert_int_equal(convert_tensors(&result, &source, true, NULL), LIMN_OK);
    assert_int_equal(limn_input_bytes(&result.config.encoder.input), sizeof pixels);
    n_sizes = 0;
    last_size = interrupted_at;
    const limn_status s = convert_calibrate(&result, &how, NULL);
    convert_result_finish(&result);
    convert_source_close(&source);
    return s;
}

/* Then no product is left to notice it, and all look as if they were to stay F16. */
static void test_an_interrupt_in_the_last_choice(void **state)
{
    const toy_model_settings settings = {
        .seed = 3, .dtype = LIMN_TENSOR_F32, .is_encoder_only = true, .is_tiny = true
    };
    (void)state;
    assert_int_equal(toy_model_write(temp_path("model"), &settings, NULL), LIMN_OK);
    assert_int_equal(calibrate(0), LIMN_OK);
    assert_true(n_sizes > 1000);
    assert_int_equal(calibrate(n_sizes), LIMN_E_INTERRUPTED);
    assert_int_equal(n_sizes, last_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_an_interrupt_in_the_last_choice) };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

/* The parameters of a decoder in training: what can't be trained is refused, with its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decoder/decoder_grad.h"

static const limn_decoder_config config = {
    .n_layers = 1,
    .dim = 16,
    .n_heads = 2,
    .feed_forward_dim = 32,
    .max_positions = 8,
    .n_tokens = 9,
    .n_memory_positions = 3,
    .memory_dim = 5,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
};

static void test_a_layout_that_can_not_be_trained_is_named(void **state)
{
    limn_decoder_config other = config;
    limn_params params = { 0 };
    limn_decoder_trainer *trainer;
    const limn_decoder_limits limits = { 4, 1 };
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_decoder_layout_find(&other.layout, "gpt2", NULL), LIMN_OK);
    assert_int_equal(limn_decoder_params_add(&params, &other, &err), LIMN_E_UNSUPPORTED);
    assert_string_equal(err.text, "a decoder of layout \"gpt2\" can't be trained: only \"limn\", "
                                  "unchanged, can");
    other.layout = config.layout;
    other.layout.eps = 1e-6f;
    assert_int_equal(
        limn_decoder_trainer_create(&trainer, &other, &params, &limits, NULL, LIMN_CPU_C, &err),
        LIMN_E_UNSUPPORTED);
    assert_null(trainer);
    limn_params_finish(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_layout_that_can_not_be_trained_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

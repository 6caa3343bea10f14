#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"

static void assert_block(const limn_mbconv_shape *b, uint32_t n_inputs, uint32_t n_expanded,
                         uint32_t n_outputs, uint32_t kernel, uint32_t stride)
{
    assert_int_equal(b->n_inputs, n_inputs);
    assert_int_equal(b->n_expanded, n_expanded);
    assert_int_equal(b->n_outputs, n_outputs);
    assert_int_equal(b->kernel, kernel);
    assert_int_equal(b->stride, stride);
}

static void test_lite0_is_as_published(void **state)
{
    limn_efficientnet_lite_shape s;
    (void)state;
    assert_true(limn_efficientnet_lite_shape_find(&s, "efficientnet-lite0"));
    assert_int_equal(s.n_blocks, 16);
    assert_int_equal(s.input_size, 224);
    assert_block(&s.blocks[0], 32, 32, 16, 3, 1);
    assert_block(&s.blocks[1], 16, 96, 24, 3, 2);
    assert_block(&s.blocks[2], 24, 144, 24, 3, 1);
    assert_block(&s.blocks[3], 24, 144, 40, 5, 2);
    assert_block(&s.blocks[15], 192, 1152, 320, 3, 1);
    assert_false(limn_efficientnet_lite_shape_find(&s, "efficientnet-b0"));
}

/* Weights of the convolutions and batch norms (gamma, beta), as counted by PyTorch's implementation
 * (efficientnet_lite_pytorch 0.1.0) without the classifier. */
static void test_parameter_counts_are_the_published_ones(void **state)
{
    static const size_t n_parameters[] = { 3371008, 4135680, 4811072, 6916096, 11725568 };
    static const size_t n_blocks[] = { 16, 21, 21, 24, 30 };
    (void)state;
    for (size_t i = 0; i < LIMN_N_EFFICIENTNET_LITES; i++) {
        limn_efficientnet_lite_shape s;
        limn_efficientnet_lite_shape_at(&s, i);
        size_t n = 27 * s.n_stem + 2 * s.n_stem + 2 * s.n_head;
        n += s.blocks[s.n_blocks - 1].n_outputs * s.n_head;
        for (size_t b = 0; b < s.n_blocks; b++) {
            const limn_mbconv_shape *k = &s.blocks[b];
            if (k->n_expanded != k->n_inputs) n += k->n_expanded * (k->n_inputs + 2);
            n += k->n_expanded * (k->kernel * k->kernel + 2) + k->n_outputs * (k->n_expanded + 2);
        }
        assert_int_equal(s.n_blocks, n_blocks[i]);
        assert_int_equal(n, n_parameters[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lite0_is_as_published),
        cmocka_unit_test(test_parameter_counts_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

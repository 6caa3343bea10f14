/* ResNet's shapes, and that each stage gives the shape it reports, for inputs of any shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "encoder/encoder.h"
#include "encoder/resnet/resnet.h"
#include "encoder/resnet/resnet_shape.h"

/* Parameters of torchvision's models without fc, with batch norm folded: weights, and a bias per
 * channel. */
static void test_parameters_are_torchvisions(void **state)
{
    static const struct {
        const char *name;
        size_t n_parameters; /* torchvision's, less fc and one per batch norm channel */
        size_t n_blocks;
    } expected[] = { { "resnet18", 11176512 - 4800, 8 },
                     { "resnet50", 23508032 - 26560, 16 },
                     { "resnet101", 42500160 - 52672, 33 },
                     { "wide_resnet50_2", 66834240 - 34112, 16 } };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        limn_encoder_config config = { .input = limn_input_square(64, LIMN_RESIZE_BILINEAR, 0, 1) };
        limn_tensor_table table = { 0 };
        size_t n = 0;
        strcpy(config.family, expected[i].name);
        limn_encoder_tensors(&table, &config);
        for (size_t k = 0; k < table.n_rows; k++) {
            const size_t *s = table.rows[k].shape;
            n += s[0] * s[1] * s[2] * s[3] + s[0];
        }
        assert_int_equal(n, expected[i].n_parameters);
        assert_int_equal(limn_encoder_count_stages(&config), expected[i].n_blocks + 1);
        limn_tensor_table_finish(&table);
    }
}

static void test_unknown_ones_are_refused(void **state)
{
    limn_resnet_shape shape;
    limn_error err = { 0 };
    const limn_encoder_config config = { .family = "resnet49",
                                         .input =
                                             limn_input_square(64, LIMN_RESIZE_BILINEAR, 0, 1) };
    (void)state;
    assert_false(limn_resnet_shape_find(&shape, "resnet49"));
    assert_int_equal(limn_encoder_check(&config, &err), LIMN_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'resnet49' is unknown; known are efficientnet-lite0"));
    assert_non_null(strstr(err.text, "resnet18, resnet50, resnet101"));
}

static void test_grids_are_a_32nd_of_the_input(void **state)
{
    limn_encoder_config config = { .family = "resnet50",
                                   .input = limn_input_square(224, LIMN_RESIZE_BILINEAR, 0, 1) };
    (void)state;
    limn_feature_shape s = limn_encoder_feature_shape(&config);
    assert_true(s.grid_width == 7 && s.grid_height == 7 && s.dim == 2048 && s.n_prefix == 0);
    config.input.width = 97; /* 49, 25, 13, 7, 4 */
    config.input.height = 32;
    assert_int_equal(limn_encoder_check(&config, NULL), LIMN_OK);
    s = limn_encoder_feature_shape(&config);
    assert_true(s.grid_width == 4 && s.grid_height == 1);
    s = limn_encoder_stage_shape(&config, 0);
    assert_true(s.grid_width == 25 && s.grid_height == 8 && s.dim == 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_are_torchvisions),
        cmocka_unit_test(test_unknown_ones_are_refused),
        cmocka_unit_test(test_grids_are_a_32nd_of_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

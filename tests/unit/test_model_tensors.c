#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "models/model_tensors.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

static void test_the_toy_model_has_exactly_the_tensors_of_its_configuration(void **state)
{
    const char *path = temp_path("toy.safetensors");
    limn_error err = { 0 };
    (void)state;
    for (int is_encoder_only = 0; is_encoder_only < 2; is_encoder_only++) {
        const toy_model_settings settings = { .seed = 1,
                                              .dtype = LIMN_TENSOR_F16,
                                              .is_encoder_only = is_encoder_only };
        limn_model_file f;
        limn_tensor_spec *specs;
        size_t n_specs;
        const limn_tensor *t;
        assert_int_equal(toy_model_write(path, &settings, &err), LIMN_OK);
        assert_int_equal(limn_model_file_open(&f, path, &err), LIMN_OK);
        assert_int_equal(limn_model_tensor_specs(&specs, &n_specs, &f.config, &err), LIMN_OK);
        assert_int_equal(n_specs, limn_safetensors_n_tensors(f.tensors));
        assert_int_equal(n_specs, is_encoder_only ? 98 : 98 + 7 + 2 * 26 + 2);
        for (size_t i = 0; i < n_specs; i++) {
            assert_int_equal(limn_safetensors_require(&t, f.tensors, specs[i].name, specs[i].n_dims,
                                                      specs[i].shape, &err),
                             LIMN_OK);
            assert_int_equal(t->dtype, specs[i].may_be_half ? LIMN_TENSOR_F16 : LIMN_TENSOR_F32);
        }
        limn_free(specs);
        limn_model_file_close(&f);
    }
}

static void test_shapes_are_those_of_the_format(void **state)
{
    static const struct {
        const char *name, *shape;
    } expected[] = {
        { "encoder.stem.weight", "F32 [32, 3, 3, 3]" },
        { "encoder.blocks.0.depthwise.weight", "F32 [32, 3, 3]" },
        { "encoder.blocks.3.expand.weight", "F32 [144, 24]" },
        { "encoder.blocks.15.project.bias", "F32 [320]" },
        { "encoder.head.weight", "F32 [1280, 320]" },
        { "decoder.memory.position_embedding", "F32 [49, 32]" },
        { "decoder.token_embedding.weight", "F32 [24, 32]" },
        { "decoder.layers.1.feed_forward.down.weight", "F32 [32, 64]" },
        { "decoder.layers.0.cross_attention_norm.bias", "F32 [32]" },
        { "decoder.tag_embedding", "F32 [80, 32]" },
        { "decoder.tag_probability", "F32 [32]" },
    };
    limn_model_config config = toy_model_config(false);
    limn_tensor_spec *specs;
    size_t n_specs, n_found = 0;
    char text[64];
    (void)state;
    config.decoder.n_tag_slots = 5;
    config.decoder.n_tags = 80;
    assert_int_equal(limn_model_tensor_specs(&specs, &n_specs, &config, NULL), LIMN_OK);
    for (size_t i = 0; i < n_specs; i++)
        for (size_t e = 0; e < sizeof expected / sizeof *expected; e++)
            if (strcmp(specs[i].name, expected[e].name) == 0) {
                limn_tensor_describe(text, sizeof text, LIMN_TENSOR_F32, specs[i].n_dims,
                                     specs[i].shape);
                assert_string_equal(text, expected[e].shape);
                n_found++;
            }
    assert_int_equal(n_found, sizeof expected / sizeof *expected);
    limn_free(specs);
}

static void test_an_unknown_family_is_refused(void **state)
{
    limn_model_config config = toy_model_config(true);
    limn_tensor_spec *specs;
    size_t n_specs;
    limn_error err = { 0 };
    (void)state;
    strcpy(config.encoder.family, "resnet49");
    assert_int_equal(limn_model_tensor_specs(&specs, &n_specs, &config, &err), LIMN_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'resnet49' is unknown; known are efficientnet-lite0, "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_toy_model_has_exactly_the_tensors_of_its_configuration),
        cmocka_unit_test(test_shapes_are_those_of_the_format),
        cmocka_unit_test(test_an_unknown_family_is_refused),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

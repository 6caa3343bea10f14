/* The encoder on random weights: against a plain implementation, the same bits for every CPU level
 * and number of threads, errors for wrong tensors, and no allocation in a run (malloc and its kin
 * are wrapped by the linker). */
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

#include "common/base/rng.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/encoder_reference.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/wrapped_allocations.h"
#include "tests/fixtures/kernels_of.h"

/* ---- a model, and images ---- */

static limn_safetensors *open_toy(const char *family)
{
    const toy_model_settings settings = {
        .seed = 7, .dtype = LIMN_TENSOR_F32, .is_encoder_only = true, .family = family
    };
    const char *path = temp_path("toy.safetensors");
    limn_safetensors *file = NULL;
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_safetensors_open(&file, path, NULL), LIMN_OK);
    return file;
}

static limn_encoder_config config_of(const char *family, uint32_t input_size)
{
    limn_encoder_config config = { .input = limn_input_square(input_size, LIMN_RESIZE_BICUBIC, 127,
                                                              1 / 128.0f) };
    snprintf(config.family, sizeof config.family, "%s", family);
    return config;
}

static uint8_t *random_pixels(size_t size)
{
    limn_rng rng = limn_rng_stream(3, "pixels", 6);
    uint8_t *pixels = malloc(size * size * 3);
    assert_non_null(pixels);
    for (size_t i = 0; i < size * size * 3; i++) pixels[i] = (uint8_t)limn_rng_next(&rng);
    return pixels;
}

/* The features, which the caller frees, and their size in bytes. */
static float *encode(const limn_safetensors *file, const limn_encoder_config *config,
                     const uint8_t *pixels, limn_cpu_level level, size_t n_threads, size_t *size)
{
    limn_encoder *e;
    limn_encoder_state *s;
    limn_pool *pool;
    assert_int_equal(limn_encoder_open(&e, file, config, kernels_of(level), NULL), LIMN_OK);
    assert_int_equal(limn_encoder_state_create(&s, e, NULL), LIMN_OK);
    assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
    *size = limn_encoder_n_positions(e) * limn_encoder_dim(e) * sizeof(float);
    float *features = malloc(*size);
    assert_non_null(features);
    limn_encoder_run(e, s, pool, pixels, features);
    limn_pool_destroy(&pool);
    limn_encoder_state_destroy(&s);
    limn_encoder_close(&e);
    return features;
}

/* ---- against the plain implementation ---- */

enum { MAX_STAGES = 40 };

typedef struct stages {
    char names[MAX_STAGES][32];
    float *x[MAX_STAGES];
    size_t n_floats[MAX_STAGES];
    size_t n;
} stages;

static void keep_stage(void *ctx, const char *stage, const float *x, size_t height, size_t width,
                       size_t n_channels)
{
    stages *kept = ctx;
    const size_t n = height * width * n_channels;
    assert_true(kept->n < MAX_STAGES);
    snprintf(kept->names[kept->n], sizeof kept->names[0], "%s", stage);
    kept->x[kept->n] = malloc(n * sizeof *x);
    assert_non_null(kept->x[kept->n]);
    memcpy(kept->x[kept->n], x, n * sizeof *x);
    kept->n_floats[kept->n++] = n;
}

static void free_stages(stages *kept)
{
    for (size_t i = 0; i < kept->n; i++) free(kept->x[i]);
}

static void assert_same_stage(const stages *actual, const stages *expected, size_t i)
{
    double largest = 0, difference = 0;
    assert_string_equal(actual->names[i], expected->names[i]);
    assert_int_equal(actual->n_floats[i], expected->n_floats[i]);
    for (size_t j = 0; j < expected->n_floats[i]; j++) {
        largest = fmax(largest, fabs((double)expected->x[i][j]));
        difference = fmax(difference, fabs((double)actual->x[i][j] - expected->x[i][j]));
    }
    if (!(largest > 0.1 && difference <= 5e-5 * largest))
        fail_msg("%s: differs by %g where the largest value is %g", expected->names[i], difference,
                 largest);
}

static void test_every_stage_is_that_of_a_plain_implementation(void **state)
{
    static const struct {
        const char *family;
        uint32_t input_size; /* even and odd maps at every stride; 133 takes several strips */
    } cases[] = { { "efficientnet-lite0", 32 },
                  { "efficientnet-lite0", 133 },
                  { "efficientnet-lite1", 33 },
                  { "efficientnet-lite4", 46 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_safetensors *file = open_toy(cases[i].family);
        const limn_encoder_config config = config_of(cases[i].family, cases[i].input_size);
        uint8_t *pixels = random_pixels(config.input.width);
        stages expected = { .n = 0 }, actual = { .n = 0 };
        limn_encoder *e;
        limn_encoder_state *s;
        assert_int_equal(limn_encoder_open(&e, file, &config, kernels_of(limn_cpu_best()), NULL),
                         LIMN_OK);
        assert_int_equal(limn_encoder_state_create(&s, e, NULL), LIMN_OK);
        float *features =
            malloc(limn_encoder_n_positions(e) * limn_encoder_dim(e) * sizeof *features);
        limn_encoder_run_tapped(e, s, pixels, features, keep_stage, &actual);
        reference_encoder_run(file, &config, pixels, keep_stage, &expected);
        assert_int_equal(actual.n, expected.n);
        for (size_t stage = 0; stage < expected.n; stage++)
            assert_same_stage(&actual, &expected, stage);
        free_stages(&expected);
        free_stages(&actual);
        free(features);
        free(pixels);
        limn_encoder_state_destroy(&s);
        limn_encoder_close(&e);
        limn_safetensors_close(&file);
    }
}

static void test_levels_and_threads_give_the_same_bits(void **state)
{
    limn_safetensors *file = open_toy(NULL);
    (void)state;
    for (uint32_t input_size = 96; input_size <= 224; input_size += 128) {
        const limn_encoder_config config = config_of("efficientnet-lite0", input_size);
        uint8_t *pixels = random_pixels(input_size);
        size_t size;
        float *expected = encode(file, &config, pixels, limn_cpu_best(), 1, &size);
        for (size_t n_threads = 1; n_threads <= 5; n_threads += 1 + n_threads / 3) {
            for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
                if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
                if (level == LIMN_CPU_C && (n_threads > 1 || input_size > 96)) continue; /* slow */
                float *y = encode(file, &config, pixels, (limn_cpu_level)level, n_threads, &size);
                assert_memory_equal(y, expected, size);
                free(y);
            }
        }
        free(expected);
        free(pixels);
    }
    limn_safetensors_close(&file);
}

static void test_a_run_allocates_nothing_and_leaves_no_trace(void **state)
{
    limn_safetensors *file = open_toy(NULL);
    const limn_encoder_config config = config_of("efficientnet-lite0", 64);
    limn_encoder *e;
    limn_encoder_state *s;
    uint8_t *pixels = random_pixels(64), *other = random_pixels(64);
    (void)state;
    memset(other, 255, 64 * 64 * 3);
    assert_int_equal(limn_encoder_open(&e, file, &config, kernels_of(limn_cpu_best()), NULL),
                     LIMN_OK);
    assert_int_equal(limn_encoder_state_create(&s, e, NULL), LIMN_OK);
    assert_int_equal(limn_encoder_n_positions(e), 4);
    assert_int_equal(limn_encoder_dim(e), 1280);
    assert_true(limn_encoder_state_bytes(e) > 0 && limn_encoder_weight_bytes(e) > 12000000);
    float first[4 * 1280], second[4 * 1280];
    const size_t n_before = n_allocations;
    limn_encoder_run(e, s, NULL, pixels, first);
    limn_encoder_run(e, s, NULL, other, second);
    assert_memory_not_equal(first, second, sizeof first);
    limn_encoder_run(e, s, NULL, pixels, second);
    assert_int_equal(n_allocations, n_before);
    assert_memory_equal(first, second, sizeof first);
    free(pixels);
    free(other);
    limn_encoder_state_destroy(&s);
    limn_encoder_close(&e);
    limn_safetensors_close(&file);
}

/* ---- errors --------------- */

/* Opens the model file with `from` in its header replaced once by `to`, which is as long. */
static limn_status open_changed(const char *path, const char *from, const char *to, limn_error *err)
{
    const limn_encoder_config config = config_of("efficientnet-lite0", 64);
    limn_safetensors *file = NULL;
    limn_encoder *e = NULL;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    const size_t size = (size_t)ftell(f);
    char *bytes = malloc(size);
    rewind(f);
    assert_int_equal(fread(bytes, 1, size, f), size);
    fclose(f);
    size_t at = 8;
    while (at + strlen(from) < size && memcmp(bytes + at, from, strlen(from)) != 0) at++;
    assert_true(at + strlen(from) < size);
    memcpy(bytes + at, to, strlen(to));
    assert_int_equal(limn_safetensors_open_memory(&file, bytes, size, err), LIMN_OK);
    const limn_status status = limn_encoder_open(&e, file, &config, kernels_of(LIMN_CPU_C), err);
    assert_true((status == LIMN_OK) == (e != NULL));
    limn_encoder_close(&e);
    limn_safetensors_close(&file);
    free(bytes);
    return status;
}

static void test_tensors_that_are_missing_or_of_another_shape(void **state)
{
    static const struct {
        const char *from, *to, *named;
    } cases[] = {
        { "\"encoder.stem.weight\"", "\"encoder.stem.weighs\"", "encoder.stem.weight" },
        { "\"encoder.stem.bias\"", "\"encoder.stem.bios\"", "encoder.stem.bias" },
        { "\"encoder.blocks.0.depthwise.bias\"", "\"encoder.blocks.0.depthwise.bas_\"",
          "encoder.blocks.0.depthwise.bias" },
        { "\"encoder.blocks.3.expand.weight\"", "\"encoder.blocks.x.expand.weight\"",
          "encoder.blocks.3.expand.weight" },
        { "\"encoder.blocks.15.project.bias\"", "\"encoder.blocks.15.project.bia \"",
          "encoder.blocks.15.project.bias" },
        { "\"encoder.head.bias\"", "\"encoder.head.base\"", "encoder.head.bias" },
        { "[1280,320]", "[320,1280]", "encoder.head.weight" },
        { "[32,3,3,3]", "[3,32,3,3]", "encoder.stem.weight" },
        { "[1152,3,3]", "[3,1152,3]", "encoder.blocks.15.depthwise.weight" },
        { "[16,32]", "[32,16]", "encoder.blocks.0.project.weight" },
    };
    (void)state;
    limn_safetensors *file = open_toy(NULL);
    limn_safetensors_close(&file);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_error err = { 0 };
        assert_int_equal(
            open_changed(temp_path("toy.safetensors"), cases[i].from, cases[i].to, &err),
            LIMN_E_FORMAT);
        assert_non_null(strstr(err.text, cases[i].named));
    }
    assert_int_equal(open_changed(temp_path("toy.safetensors"), "encoder", "encoder", NULL),
                     LIMN_OK);
}

static void test_configurations_that_no_encoder_has(void **state)
{
    limn_safetensors *file = open_toy(NULL);
    limn_encoder *e;
    limn_error err = { 0 };
    limn_encoder_config config = config_of("efficientnet-lite9", 224);
    (void)state;
    assert_int_equal(limn_encoder_open(&e, file, &config, kernels_of(LIMN_CPU_C), &err),
                     LIMN_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "efficientnet-lite9"));
    for (uint32_t size = 31; size <= 1025; size += 994) {
        limn_error limit = { 0 };
        config = config_of("efficientnet-lite0", size);
        assert_int_equal(limn_encoder_open(&e, file, &config, kernels_of(LIMN_CPU_C), &limit),
                         LIMN_E_LIMIT);
        assert_null(e);
        assert_non_null(strstr(limit.text, "32 … 1024"));
    }
    config = config_of("efficientnet-lite1", 64); /* more blocks than the file has */
    assert_int_equal(limn_encoder_open(&e, file, &config, kernels_of(LIMN_CPU_C), NULL),
                     LIMN_E_FORMAT);
    limn_safetensors_close(&file);
}

static limn_status open_and_create(const limn_safetensors *file)
{
    const limn_encoder_config config = config_of("efficientnet-lite0", 64);
    limn_encoder *e;
    limn_encoder_state *s = NULL;
    limn_status status = limn_encoder_open(&e, file, &config, kernels_of(LIMN_CPU_C), NULL);
    if (status == LIMN_OK) status = limn_encoder_state_create(&s, e, NULL);
    limn_encoder_state_destroy(&s);
    limn_encoder_close(&e);
    return status;
}

static void test_memory_that_ends_anywhere_is_an_error(void **state)
{
    limn_safetensors *file = open_toy(NULL);
    (void)state;
    const size_t n_before = n_allocations;
    assert_int_equal(open_and_create(file), LIMN_OK);
    const size_t n_needed = n_allocations - n_before;
    for (size_t n = 0; n < n_needed; n += n < 20 || n + 6 > n_needed ? 1 : 13) {
        n_until_failure = n;
        const limn_status status = open_and_create(file);
        n_until_failure = SIZE_MAX;
        assert_int_equal(status, LIMN_E_NOMEM);
    }
    limn_safetensors_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_stage_is_that_of_a_plain_implementation),
        cmocka_unit_test(test_levels_and_threads_give_the_same_bits),
        cmocka_unit_test(test_a_run_allocates_nothing_and_leaves_no_trace),
        cmocka_unit_test(test_tensors_that_are_missing_or_of_another_shape),
        cmocka_unit_test(test_configurations_that_no_encoder_has),
        cmocka_unit_test(test_memory_that_ends_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

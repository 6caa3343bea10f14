/* Large channels, scaled before int8: what they are scaled by, and that models of every
 * layout compute the same in f32, to the last bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/kernels/int8.h"
#include "decoder/decoder.h"
#include "encoder/encoder.h"
#include "models/convert/fold_channels.h"
#include "tests/fixtures/kernels_of.h"

enum { DIM = 64, LAYERS = 2, SIDE = 32, PATCH = 16, POSITIONS = 5, TOKENS = 24, STEPS = 4 };

static const size_t large[] = { 3, 40 };
enum { N_LARGE = sizeof large / sizeof *large };

/* ---- models -------------------------------------------------------------------------------- */

static limn_model_config config_of(const char *layout)
{
    limn_model_config c = {
        .encoder = { .family = "vit",
                     .input = limn_input_square(SIDE, LIMN_RESIZE_BICUBIC, 127, 1 / 128.0f),
                     .vit = { .patch = PATCH,
                              .dim = DIM,
                              .n_layers = LAYERS,
                              .n_heads = 4,
                              .feed_forward_dim = 96,
                              .activation = LIMN_ACT_GELU,
                              .eps = 1e-5f,
                              .has_embedding_norm = true } },
        .has_decoder = true,
        .decoder = { .n_layers = LAYERS,
                     .dim = DIM,
                     .n_heads = 4,
                     .feed_forward_dim = 96,
                     .max_positions = STEPS,
                     .n_tokens = TOKENS,
                     .n_memory_positions = POSITIONS,
                     .memory_dim = DIM,
                     .specials = LIMN_SPECIALS_OWN },
    };
    assert_int_equal(limn_decoder_layout_find(&c.decoder.layout, layout, NULL), LIMN_OK);
    return c;
}

static float *values_of(const limn_tensor *t)
{
    return (float *)(uintptr_t)t->data;
}

static void fill(limn_tensor *t, const limn_tensor_spec *spec)
{
    limn_rng rng = limn_rng_stream(1, spec->name, strlen(spec->name));
    const double middle = strstr(spec->name, "norm.weight") ? 1.0 : 0.0;
    *t = (limn_tensor){ .name = spec->name, .n_dims = spec->n_dims, .dtype = LIMN_TENSOR_F32 };
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    assert_true(limn_tensor_byte_size(&t->size, t->dtype, t->n_dims, t->shape));
    t->data = limn_alloc(t->size, 1);
    assert_non_null(t->data);
    for (size_t i = 0; i < t->size / sizeof(float); i++)
        values_of(t)[i] = (float)(middle + 0.2 * (2 * limn_rng_uniform(&rng) - 1));
}

/* Random weights. The caller finishes it. */
static convert_result model_of(const char *layout)
{
    convert_result r = { .config = config_of(layout) };
    assert_int_equal(limn_model_tensor_specs(&r.specs, &r.n_tensors, &r.config, NULL), LIMN_OK);
    r.tensors = limn_calloc(r.n_tensors, sizeof *r.tensors);
    assert_non_null(r.tensors);
    for (size_t i = 0; i < r.n_tensors; i++) fill(&r.tensors[i], &r.specs[i]);
    return r;
}

static limn_tensor *find(const convert_result *r, const char *name)
{
    for (size_t i = 0; i < r->n_tensors; i++)
        if (strcmp(r->tensors[i].name, name) == 0) return &r->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Multiplies a channel after all norms, and divides the weights of all products that could read
 * it. */
static void enlarge(convert_result *r, size_t channel, float factor, float divisor)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        const limn_tensor *t = &r->tensors[i];
        if (strstr(t->name, "norm.")) values_of(t)[channel] *= factor;
        if (t->n_dims != 2 || strstr(t->name, "position")) continue;
        for (size_t o = 0; o < t->shape[0]; o++) values_of(t)[o * t->shape[1] + channel] /= divisor;
    }
}

/* Multiplies a channel of all values of attention, and of what goes into activations, which would
 * not scale; `enlarge` divides the weights that read them. */
static void enlarge_products(convert_result *r, size_t channel, float factor)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        const limn_tensor *t = &r->tensors[i];
        const size_t n = t->size / sizeof(float) / t->shape[0];
        if (!strstr(t->name, "attention.value.") && !strstr(t->name, ".up.")) continue;
        for (size_t k = 0; k < n; k++) values_of(t)[channel * n + k] *= factor;
    }
}

/* ---- running ------------------------------------------------------------------------------- */

typedef struct results {
    float features[POSITIONS * DIM];
    float logits[STEPS][TOKENS];
} results;

static void run_encoder(results *out, const limn_safetensors *file, const limn_model_config *c,
                        limn_cpu_level level)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    limn_encoder *e;
    limn_encoder_state *s;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * i % 251);
    assert_int_equal(limn_encoder_open(&e, file, &c->encoder, kernels_of(level), NULL), LIMN_OK);
    assert_int_equal(limn_encoder_state_create(&s, e, NULL), LIMN_OK);
    limn_encoder_run(e, s, NULL, pixels, out->features);
    limn_encoder_state_destroy(&s);
    limn_encoder_close(&e);
}

static void run_decoder(results *out, const limn_safetensors *file, const limn_model_config *c,
                        limn_cpu_level level)
{
    limn_decoder *d;
    limn_decoder_state *s;
    assert_int_equal(limn_decoder_open(&d, file, &c->decoder, kernels_of(level), NULL), LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&s, d, 1, STEPS, NULL), LIMN_OK);
    limn_decoder_begin(s, NULL, out->features, NULL);
    for (uint32_t i = 0; i < STEPS; i++) {
        const uint32_t parent = 0, token = 1 + 5 * i;
        limn_decoder_step(s, NULL, 1, &parent, &token, out->logits[i]);
    }
    limn_decoder_state_destroy(&s);
    limn_decoder_close(&d);
}

static results run(const convert_result *r, limn_cpu_level level)
{
    results out;
    limn_safetensors *file;
    assert_int_equal(limn_safetensors_from_tensors(&file, r->tensors, r->n_tensors, NULL), LIMN_OK);
    run_encoder(&out, file, &r->config, level);
    run_decoder(&out, file, &r->config, level);
    limn_safetensors_close(&file);
    return out;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void fold(convert_result *r, limn_folded_channels expected)
{
    assert_int_equal(convert_fold_channels(r, NULL), LIMN_OK);
    assert_int_equal(r->folded.n_encoder, expected.n_encoder);
    assert_int_equal(r->folded.n_decoder, expected.n_decoder);
}

/* Folded as expected, it computes the same at every level of the CPU. */
static void check_folding(convert_result *r, limn_folded_channels expected)
{
    static results before[LIMN_N_CPU_LEVELS];
    for (limn_cpu_level l = LIMN_CPU_C; l < LIMN_N_CPU_LEVELS; l++)
        if (limn_cpu_level_runs(l)) before[l] = run(r, l);
    fold(r, expected);
    for (limn_cpu_level l = LIMN_CPU_C; l < LIMN_N_CPU_LEVELS; l++) {
        if (!limn_cpu_level_runs(l)) continue;
        const results after = run(r, l);
        assert_memory_equal(before[l].features, after.features, sizeof after.features);
        assert_memory_equal(before[l].logits, after.logits, sizeof after.logits);
    }
}

/* Of two channels: in two norms in each of two layers of the encoder; in decoders with the norm
 * before, in three of each layer; and in the memory's, where cross-attention reads it. */
static void test_norms_compute_the_same(void **state)
{
    static const struct {
        const char *layout;
        limn_folded_channels folded;
    } expected[] = { { "limn", { 8, 14 } },
                     { "blip", { 8, 0 } },
                     { "gpt2", { 8, 12 } },
                     { "git", { 8, 0 } },
                     { "virtex", { 8, 0 } } };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        convert_result r = model_of(expected[i].layout);
        for (size_t k = 0; k < N_LARGE; k++) enlarge(&r, large[k], 100, 100);
        check_folding(&r, expected[i].folded);
        convert_result_finish(&r);
    }
}

/* Of two channels: in each of two layers of the encoder, and of self-attention and cross-attention
 * in the decoder; git has no cross-attention. */
static void test_values_compute_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; limn_decoder_layout_names[i]; i++) {
        convert_result r = model_of(limn_decoder_layout_names[i]);
        const bool is_git = strcmp(limn_decoder_layout_names[i], "git") == 0;
        for (size_t k = 0; k < N_LARGE; k++) {
            enlarge(&r, large[k], 1, 100);
            enlarge_products(&r, large[k], 100);
        }
        check_folding(&r, (limn_folded_channels){ 4, is_git ? 4 : 8 });
        convert_result_finish(&r);
    }
}

/* Values of all tensors that a copy has differently. */
static size_t count_changes(const convert_result *a, const convert_result *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_tensors; i++)
        for (size_t k = 0; k < a->tensors[i].size / sizeof(float); k++)
            n += values_of(&a->tensors[i])[k] != values_of(&b->tensors[i])[k];
    return n;
}

static void test_ordinary_models_stay(void **state)
{
    (void)state;
    for (size_t i = 0; limn_decoder_layout_names[i]; i++) {
        convert_result r = model_of(limn_decoder_layout_names[i]);
        convert_result untouched = model_of(limn_decoder_layout_names[i]);
        fold(&r, (limn_folded_channels){ 0 });
        assert_int_equal(count_changes(&r, &untouched), 0);
        convert_result_finish(&r);
        convert_result_finish(&untouched);
    }
}

/* What one channel is divided by, where its norm's gamma and beta are these, all others 1 and 0,
 * and of outputs whose largest weight is 1, one reads it with `weight` and the others don't. */
static float factor(float gamma, float beta, float weight)
{
    enum { CHANNEL = 17, OUTPUT = 30 };
    convert_result r = model_of("blip");
    const limn_tensor *up = find(&r, "encoder.layers.1.feed_forward.up.weight");
    float *gammas = values_of(find(&r, "encoder.layers.1.feed_forward_norm.weight"));
    float *betas = values_of(find(&r, "encoder.layers.1.feed_forward_norm.bias"));
    float *w = values_of(up), *read = w + OUTPUT * DIM + CHANNEL;
    for (size_t j = 0; j < DIM; j++) gammas[j] = 1, betas[j] = 0;
    for (size_t k = 0; k < up->size / sizeof *w; k++) w[k] = k % DIM == CHANNEL ? 0 : 1;
    gammas[CHANNEL] = gamma;
    betas[CHANNEL] = beta;
    *read = weight;
    assert_int_equal(convert_fold_channels(&r, NULL), LIMN_OK);
    const float scaled = gamma != 0 ? gamma / gammas[CHANNEL] : beta / betas[CHANNEL];
    assert_true(betas[CHANNEL] * scaled == beta && *read == weight * scaled);
    assert_true(gammas[0] == 1 && w[0] == 1);
    convert_result_finish(&r);
    return scaled;
}

static void test_factors(void **state)
{
    (void)state;
    assert_true(factor(100, 0, 0) == 64);
    assert_true(factor(-100, 0, 0) == 64);
    assert_true(factor(0, 100, 0) == 64);
    assert_true(factor(100, -100, 0) == 128);  /* of a size of 141 */
    assert_true(factor(100, 0, 0.01f) == 64);  /* weights bound it by 100 too */
    assert_true(factor(100, 0, -0.03f) == 32); /* … by 33 */
    assert_true(factor(100, 0, 0.125f) == 8);
    assert_true(factor(100, 0, 0.126f) == 1); /* the least is 8 */
    assert_true(factor(8, 0, 0.01f) == 8);
    assert_true(factor(7.9f, 0, 0.01f) == 1);
    assert_true(factor(0.01f, 0, 100) == 1); /* small channels stay */
}

/* So that all other weights are rounded as before. */
static void test_scales_of_weights_stay(void **state)
{
    convert_result r = model_of("limn");
    convert_result untouched = model_of("limn");
    int8_t codes[96];
    (void)state;
    for (size_t k = 0; k < N_LARGE; k++) {
        enlarge(&r, large[k], 1000, 100);
        enlarge(&untouched, large[k], 1000, 100);
    }
    fold(&r, (limn_folded_channels){ 8, 14 });
    for (size_t i = 0; i < r.n_tensors; i++) {
        const size_t n = r.tensors[i].shape[1];
        const float *a = values_of(&r.tensors[i]), *b = values_of(&untouched.tensors[i]);
        for (size_t o = 0; r.specs[i].may_be_int8 && o < r.tensors[i].shape[0]; o++)
            assert_true(limn_int8_quantize_weights(codes, a + o * n, n) ==
                        limn_int8_quantize_weights(codes, b + o * n, n));
    }
    convert_result_finish(&r);
    convert_result_finish(&untouched);
}

/* It has its codes, and would lose them. */
static void test_what_is_int8_already_stays(void **state)
{
    convert_result r = model_of("limn");
    convert_result untouched = model_of("limn");
    (void)state;
    enlarge(&r, large[0], 100, 100);
    enlarge(&untouched, large[0], 100, 100);
    r.source_scales = limn_calloc(r.n_tensors, sizeof *r.source_scales);
    assert_non_null(r.source_scales);
    r.source_scales[r.n_tensors - 1] = limn_calloc(1, sizeof(float));
    fold(&r, (limn_folded_channels){ 0 });
    assert_int_equal(count_changes(&r, &untouched), 0);
    convert_result_forget_int8(&r);
    fold(&r, (limn_folded_channels){ 4, 7 });
    convert_result_finish(&r);
    convert_result_finish(&untouched);
}

/* As in a model that was folded, and then trained. */
static void test_what_was_folded_before_counts(void **state)
{
    convert_result r = model_of("limn");
    (void)state;
    enlarge(&r, large[0], 100, 100);
    fold(&r, (limn_folded_channels){ 4, 7 });
    fold(&r, (limn_folded_channels){ 4, 7 });
    enlarge(&r, large[1], 100, 100);
    fold(&r, (limn_folded_channels){ 8, 14 });
    convert_result_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms_compute_the_same),
        cmocka_unit_test(test_values_compute_the_same),
        cmocka_unit_test(test_ordinary_models_stay),
        cmocka_unit_test(test_factors),
        cmocka_unit_test(test_scales_of_weights_stay),
        cmocka_unit_test(test_what_is_int8_already_stays),
        cmocka_unit_test(test_what_was_folded_before_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

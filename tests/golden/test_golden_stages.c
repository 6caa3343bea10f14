/* Encoder stages, features and teacher-forced logits of two photos against PyTorch's. */
#include "tests/golden/golden.h"

#include <math.h>

#include "common/base/mem.h"
#include "models/model_file.h"
#include "tests/fixtures/kernels_of.h"

enum { N_PHOTOS = 2 };

typedef struct fixture {
    limn_model_file file;
    limn_safetensors *expected;
    limn_encoder *encoder;
    limn_encoder_state *encoder_state;
    limn_decoder *decoder;
    limn_decoder_state *decoder_state;
    float *features;
    size_t photo;
} fixture;

static const limn_tensor *find(const fixture *f, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "%zu.%s", f->photo, name);
    return limn_safetensors_find(f->expected, full);
}

static float *floats(const limn_tensor *t)
{
    float *out = malloc(t->size);
    assert_non_null(out);
    limn_tensor_to_f32(out, t);
    return out;
}

static void open_fixture(fixture *f)
{
    const char *model = golden_model();
    limn_error err = { 0 };
    const limn_cpu_level level = limn_cpu_best();
    *f = (fixture){ .photo = 0 };
    must(limn_model_file_open(&f->file, model, &err), &err);
    must(limn_safetensors_open(&f->expected, shared_path("reference", "tensors.safetensors"), &err),
         &err);
    must(limn_encoder_open(&f->encoder, f->file.tensors, &f->file.config.encoder, kernels_of(level),
                           &err),
         &err);
    must(limn_encoder_state_create(&f->encoder_state, f->encoder, &err), &err);
    must(limn_decoder_open(&f->decoder, f->file.tensors, &f->file.config.decoder, kernels_of(level),
                           &err),
         &err);
    must(limn_decoder_state_create(&f->decoder_state, f->decoder, 1, 30, &err), &err);
    f->features = malloc(limn_encoder_n_positions(f->encoder) * limn_encoder_dim(f->encoder) *
                         sizeof *f->features);
    assert_non_null(f->features);
}

static void close_fixture(fixture *f)
{
    limn_encoder_state_destroy(&f->encoder_state);
    limn_encoder_close(&f->encoder);
    limn_decoder_state_destroy(&f->decoder_state);
    limn_decoder_close(&f->decoder);
    limn_safetensors_close(&f->expected);
    limn_model_file_close(&f->file);
    free(f->features);
}

/* x [height, width, n_channels] against PyTorch's [n_channels, height, width]; the features are
 * [positions, n_channels] on both sides. */
static void check_stage(void *ctx, const char *stage, const float *x, size_t height, size_t width,
                        size_t n_channels)
{
    const fixture *f = ctx;
    const limn_tensor *t = find(f, stage);
    const size_t n_pixels = height * width;
    const bool is_channels_last = strcmp(stage, "features") == 0;
    double largest = 0, worst = 0;
    if (!t) return; /* only every few blocks are there */
    assert_int_equal(t->size, n_pixels * n_channels * sizeof *x);
    float *expected = floats(t);
    for (size_t p = 0; p < n_pixels; p++)
        for (size_t c = 0; c < n_channels; c++) {
            const float e = expected[is_channels_last ? p * n_channels + c : c * n_pixels + p];
            largest = fmax(largest, fabs((double)e));
            worst = fmax(worst, fabs((double)x[p * n_channels + c] - (double)e));
        }
    free(expected);
    print_message("photo %zu %-8s largest %7.3f, worst difference %.2e of it\n", f->photo, stage,
                  largest, worst / largest);
    assert_true(worst <= 2e-4 * largest);
}

static void test_encoder_stages(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    for (; f.photo < N_PHOTOS; f.photo++)
        limn_encoder_run_tapped(f.encoder, f.encoder_state, find(&f, "pixels")->data, f.features,
                                check_stage, &f);
    close_fixture(&f);
}

static void check_logits(const fixture *f, const float *features, const char *whose)
{
    const size_t n_tokens = f->file.config.decoder.n_tokens;
    const limn_tensor *tokens = find(f, "tokens");
    const size_t n_steps = tokens->size / sizeof(int32_t);
    float *expected = floats(find(f, "logits")), *logits = malloc(n_tokens * sizeof *logits);
    double worst = 0;
    limn_decoder_begin(f->decoder_state, NULL, features, NULL);
    for (size_t i = 0; i < n_steps; i++) {
        const uint32_t parent = 0;
        uint32_t token;
        memcpy(&token, (const int32_t *)tokens->data + i, sizeof token);
        limn_decoder_step(f->decoder_state, NULL, 1, &parent, &token, logits);
        for (size_t t = 0; t < n_tokens; t++)
            worst = fmax(worst, fabs((double)logits[t] - (double)expected[i * n_tokens + t]));
    }
    print_message("photo %zu logits from %s features: worst difference %.2e\n", f->photo, whose,
                  worst);
    assert_true(worst <= 2e-3);
    free(expected);
    free(logits);
}

static void test_logits(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    for (; f.photo < N_PHOTOS; f.photo++) {
        float *reference = floats(find(&f, "features"));
        check_logits(&f, reference, "PyTorch's");
        limn_encoder_run(f.encoder, f.encoder_state, NULL, find(&f, "pixels")->data, f.features);
        check_logits(&f, f.features, "our own");
        free(reference);
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoder_stages),
        cmocka_unit_test(test_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

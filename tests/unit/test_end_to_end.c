/* Encoder and decoder trained together: the losses of ten optimizer steps are PyTorch's (a fixture
 * of tests/fixtures/make_end_to_end.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "decoder/decoder_grad.h"
#include "encoder/efficientnet_lite/lite_trainer.h"
#include "models/train/adamw.h"

enum { N_IMAGES = 3, N_ROWS = 24, N_STEPS = 10, N_FEATURES = N_IMAGES * 5 * 5 * 20 };

static const limn_lite_trainer_settings encoder = {
    .shape = { .family = "tiny",
               .input_size = 33,
               .n_stem = 8,
               .n_head = 20,
               .n_blocks = 5,
               .blocks = { { 8, 8, 8, 3, 1 },
                           { 8, 24, 12, 5, 2 },
                           { 12, 36, 12, 3, 1 },
                           { 12, 24, 16, 3, 2 },
                           { 16, 16, 16, 5, 1 } } },
    .input = { .width = 33,
               .height = 33,
               .mean = { 127.0f, 127.0f, 127.0f },
               .scale = { 0.0078125f, 0.0078125f, 0.0078125f } },
    .max_images = N_IMAGES,
};
static const limn_decoder_config decoder = {
    .n_layers = 2,
    .dim = 16,
    .n_heads = 2,
    .feed_forward_dim = 32,
    .max_positions = 12,
    .n_tokens = 19,
    .n_memory_positions = 25,
    .memory_dim = 20,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
};
static const uint32_t images[] = { 0, 0, 1, 2, 2 }, offsets[] = { 0, 5, 8, 14, 16, 24 };

struct fixture {
    limn_safetensors *file;
    limn_params params;
    limn_optimizer adamw;
    limn_pool *pool;
    limn_lite_trainer *encoder;
    limn_decoder_trainer *decoder;
};

static void read_values(struct fixture *f)
{
    for (size_t i = 0; i < f->params.n_items; i++) {
        const limn_param *p = &f->params.items[i];
        const limn_tensor *t;
        assert_int_equal(limn_safetensors_require(&t, f->file, p->name, p->n_dims, p->shape, NULL),
                         LIMN_OK);
        limn_tensor_to_f32(f->params.values + p->offset, t);
    }
}

static void open_fixture(struct fixture *f)
{
    const limn_decoder_limits limits = { N_ROWS, N_IMAGES };
    char path[1024];
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "%s/tests/data/train/end_to_end.safetensors",
             getenv("LIMN_SOURCE_ROOT"));
    assert_int_equal(limn_safetensors_open(&f->file, path, NULL), LIMN_OK);
    assert_int_equal(limn_pool_create(&f->pool, 2, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_params_add(&f->params, &decoder, NULL), LIMN_OK);
    assert_int_equal(limn_lite_params_add(&f->params, &encoder.shape, 0, 0.1f, NULL), LIMN_OK);
    assert_int_equal(limn_params_allocate(&f->params, NULL), LIMN_OK);
    read_values(f);
    assert_int_equal(limn_optimizer_init(&f->adamw, &limn_adamw, &f->params, NULL), LIMN_OK);
    assert_int_equal(
        limn_lite_trainer_create(&f->encoder, &encoder, &f->params, f->pool, limn_cpu_best(), NULL),
        LIMN_OK);
    assert_int_equal(limn_decoder_trainer_create(&f->decoder, &decoder, &f->params, &limits,
                                                 f->pool, limn_cpu_best(), NULL),
                     LIMN_OK);
}

static void close_fixture(struct fixture *f)
{
    limn_decoder_trainer_destroy(&f->decoder);
    limn_lite_trainer_destroy(&f->encoder);
    limn_optimizer_finish(&f->adamw);
    limn_params_finish(&f->params);
    limn_pool_destroy(&f->pool);
    limn_safetensors_close(&f->file);
}

/* The mean loss per token before the step. */
static double step(struct fixture *f)
{
    const limn_decoder_grad_settings settings = { .label_smoothing = 0.1f, .scale = 1.0f / N_ROWS };
    const limn_optimizer_settings optimizer = {
        .beta1 = 0.9f, .beta2 = 0.98f, .epsilon = 1e-8f, .weight_decay = 0.05f, .clip_norm = 0.5f
    };
    float d_features[N_FEATURES];
    double loss;
    const limn_decoder_batch batch = {
        .n_images = N_IMAGES,
        .n_captions = 5,
        .images = images,
        .offsets = offsets,
        .features = limn_lite_trainer_forward(
            f->encoder, limn_safetensors_find(f->file, "pixels")->data, N_IMAGES),
        .inputs = limn_safetensors_find(f->file, "captions")->data,
        .targets = limn_safetensors_find(f->file, "targets")->data,
    };
    limn_params_clear_gradients(&f->params);
    assert_int_equal(
        limn_decoder_trainer_run(f->decoder, &batch, &settings, d_features, &loss, NULL), LIMN_OK);
    limn_lite_trainer_backward(f->encoder, d_features);
    limn_optimizer_step(&f->adamw, &f->params, &optimizer, 3e-3f,
                        limn_gradient_norm(&f->params, f->pool), f->pool);
    return loss / N_ROWS;
}

static void test_ten_steps_follow_pytorch(void **state)
{
    struct fixture f;
    float expected[N_STEPS];
    (void)state;
    open_fixture(&f);
    limn_tensor_to_f32(expected, limn_safetensors_find(f.file, "step_losses"));
    for (size_t i = 0; i < N_STEPS; i++) {
        const double loss = step(&f);
        if (!(fabs(loss - expected[i]) < 1e-4 * expected[i]))
            fail_msg("step %zu: loss %.7g, expected %.7g", i, loss, (double)expected[i]);
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_steps_follow_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

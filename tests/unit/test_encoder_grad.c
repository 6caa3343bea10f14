/* Gradients of the encoder against PyTorch's on a tiny network (a fixture of
 * tests/fixtures/make_encoder_grad.py), for every CPU level, number of threads and frozen part. */
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
#include "common/kernels/gemm.h"
#include "encoder/encoder_grad.h"

static const limn_efficientnet_lite_shape shape = {
    .family = "tiny", .input_size = 33, .n_stem = 8, .n_head = 20, .n_blocks = 5,
    .blocks = { { 8, 8, 8, 3, 1 }, { 8, 24, 12, 5, 2 }, { 12, 36, 12, 3, 1 },
                { 12, 24, 16, 3, 2 }, { 16, 16, 16, 5, 1 } },
};
static const limn_encoder_config config = { .family = "tiny", .input_size = 33, .mean = 127.0f,
                                            .scale = 0.0078125f };
enum { N_PICTURES = 3, N_FEATURES = N_PICTURES * 5 * 5 * 20, N_STAGES = 7 };

struct fixture {
    limn_safetensors *file;
    limn_params params;
    limn_pool *pool;
    limn_encoder_trainer *trainer;
};

static void open_fixture(struct fixture *f, size_t first_stage, size_t n_threads,
                         limn_cpu_level level)
{
    char path[1024];
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "%s/tests/data/train/encoder_grad.safetensors",
             getenv("LIMN_SOURCE_ROOT"));
    assert_int_equal(limn_safetensors_open(&f->file, path, NULL), LIMN_OK);
    assert_int_equal(limn_gemm_init(NULL), LIMN_OK);
    assert_int_equal(limn_encoder_params_add(&f->params, &shape, first_stage, 0.1f, NULL),
                     LIMN_OK);
    assert_int_equal(limn_params_allocate(&f->params, NULL), LIMN_OK);
    assert_int_equal(limn_encoder_params_read(&f->params, f->file, NULL), LIMN_OK);
    assert_int_equal(limn_pool_create(&f->pool, n_threads, NULL), LIMN_OK);
    assert_int_equal(limn_encoder_trainer_create(&f->trainer, &shape, &config, first_stage,
                                                 &f->params, N_PICTURES, f->pool, level, NULL),
                     LIMN_OK);
}

static void close_fixture(struct fixture *f)
{
    limn_encoder_trainer_destroy(&f->trainer);
    limn_params_finish(&f->params);
    limn_pool_destroy(&f->pool);
    limn_safetensors_close(&f->file);
}

static float *read_tensor(const struct fixture *f, const char *prefix, const char *name, size_t n)
{
    char full[128];
    float *out = limn_alloc(n, sizeof *out);
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const limn_tensor *t = limn_safetensors_find(f->file, full);
    assert_non_null(t);
    assert_int_equal(t->size, n * sizeof(float));
    limn_tensor_to_f32(out, t);
    return out;
}

static const float *run(struct fixture *f)
{
    float *d_features = read_tensor(f, "", "d_features", N_FEATURES);
    const float *features = limn_encoder_trainer_forward(
        f->trainer, limn_safetensors_find(f->file, "pixels")->data, N_PICTURES);
    limn_encoder_trainer_backward(f->trainer, d_features);
    limn_free(d_features);
    return features;
}

static void assert_close(const char *name, const float *got, const float *expected, size_t n)
{
    double scale = 0;
    for (size_t i = 0; i < n; i++) scale = fabs(expected[i]) > scale ? fabs(expected[i]) : scale;
    assert_true(scale > 0);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-4 * scale))
            fail_msg("%s[%zu] is %.8g, expected %.8g (largest %.3g)", name, i, (double)got[i],
                     (double)expected[i], scale);
}

static void check_gradients(struct fixture *f)
{
    for (size_t i = 0; i < f->params.n_items; i++) {
        const limn_param *p = &f->params.items[i];
        const float *gradient = f->params.gradients + p->offset;
        float *expected = read_tensor(f, "gradient.", p->name, p->n);
        if (p->rate > 0)
            assert_close(p->name, gradient, expected, p->n);
        else
            for (size_t j = 0; j < p->n; j++) assert_true(gradient[j] == 0);
        limn_free(expected);
    }
}

static void test_features_and_gradients_equal_pytorch(void **state)
{
    struct fixture f;
    (void)state;
    for (limn_cpu_level level = LIMN_CPU_C; level <= limn_cpu_best(); level++) {
        open_fixture(&f, 0, 2, level);
        const float *features = run(&f);
        float *expected = read_tensor(&f, "", "features", N_FEATURES);
        assert_close("features", features, expected, N_FEATURES);
        check_gradients(&f);
        limn_free(expected);
        close_fixture(&f);
    }
}

static void test_frozen_stages_have_no_gradient(void **state)
{
    struct fixture f;
    (void)state;
    for (size_t first_stage = 1; first_stage < N_STAGES; first_stage++) {
        open_fixture(&f, first_stage, 2, limn_cpu_best());
        run(&f);
        check_gradients(&f);
        close_fixture(&f);
    }
}

static void test_threads_and_levels_do_not_change_bits(void **state)
{
    struct fixture one, other;
    (void)state;
    open_fixture(&one, 0, 1, LIMN_CPU_C);
    run(&one);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        open_fixture(&other, 0, n_threads, limn_cpu_best());
        run(&other);
        assert_memory_equal(one.params.gradients, other.params.gradients,
                            one.params.n_floats * sizeof(float));
        close_fixture(&other);
    }
    close_fixture(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_and_gradients_equal_pytorch),
        cmocka_unit_test(test_frozen_stages_have_no_gradient),
        cmocka_unit_test(test_threads_and_levels_do_not_change_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Gradients of the encoder: on a tiny network against PyTorch's (a fixture of
 * tests/fixtures/make_encoder_grad.py) and against finite differences of a plain network in double
 * precision; on Lite0 for every cut; the same bits for every CPU level and number of threads. */
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
#include "common/base/rng.h"
#include "common/io/params_tensors.h"
#include "common/weights/table_params.h"
#include "encoder/efficientnet_lite/lite_trainer.h"
#include "encoder/encoder.h"
#include "tests/fixtures/kernels_of.h"

enum { N_IMAGES = 3, N_FEATURES = N_IMAGES * 5 * 5 * 20 };

static const limn_lite_trainer_settings tiny = {
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

struct fixture {
    limn_safetensors *file;
    limn_params params;
    limn_pool *pool;
    limn_lite_trainer *trainer;
};

static void open_trainer(struct fixture *f, const limn_lite_trainer_settings *settings,
                         size_t n_threads, limn_cpu_level level)
{
    assert_int_equal(
        limn_lite_params_add(&f->params, &settings->shape, settings->first_stage, 0.1f, NULL),
        LIMN_OK);
    assert_int_equal(limn_params_allocate(&f->params, NULL), LIMN_OK);
    assert_int_equal(limn_pool_create(&f->pool, n_threads, NULL), LIMN_OK);
    assert_int_equal(
        limn_lite_trainer_create(&f->trainer, settings, &f->params, f->pool, level, NULL), LIMN_OK);
}

static void open_tiny(struct fixture *f, size_t n_threads, limn_cpu_level level)
{
    char path[1024];
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "%s/tests/data/train/encoder_grad.safetensors",
             getenv("LIMN_SOURCE_ROOT"));
    assert_int_equal(limn_safetensors_open(&f->file, path, NULL), LIMN_OK);
    open_trainer(f, &tiny, n_threads, level);
    assert_int_equal(limn_params_read(&f->params, "encoder.", f->file, NULL), LIMN_OK);
}

static void close_fixture(struct fixture *f)
{
    limn_lite_trainer_destroy(&f->trainer);
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

static const uint8_t *tiny_pixels(const struct fixture *f)
{
    return limn_safetensors_find(f->file, "pixels")->data;
}

static const float *run_tiny(struct fixture *f)
{
    float *d_features = read_tensor(f, "", "d_features", N_FEATURES);
    const float *features = limn_lite_trainer_forward(f->trainer, tiny_pixels(f), N_IMAGES);
    limn_lite_trainer_backward(f->trainer, d_features);
    limn_free(d_features);
    return features;
}

/* ---- PyTorch ------------------------------------------------------------------------------- */

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

static void test_features_and_gradients_equal_pytorch(void **state)
{
    struct fixture f;
    (void)state;
    for (limn_cpu_level level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs(level)) continue;
        open_tiny(&f, 2, level);
        const float *features = run_tiny(&f);
        float *expected = read_tensor(&f, "", "features", N_FEATURES);
        assert_close("features", features, expected, N_FEATURES);
        limn_free(expected);
        for (size_t i = 0; i < f.params.n_items; i++) {
            const limn_param *p = &f.params.items[i];
            expected = read_tensor(&f, "gradient.", p->name, p->n);
            assert_close(p->name, f.params.gradients + p->offset, expected, p->n);
            limn_free(expected);
        }
        close_fixture(&f);
    }
}

static void test_threads_and_levels_do_not_change_bits(void **state)
{
    struct fixture one, other;
    (void)state;
    open_tiny(&one, 1, LIMN_CPU_C);
    run_tiny(&one);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        open_tiny(&other, n_threads, limn_cpu_best());
        run_tiny(&other);
        assert_memory_equal(one.params.gradients, other.params.gradients,
                            one.params.n_floats * sizeof(float));
        close_fixture(&other);
    }
    close_fixture(&one);
}

/* ---- finite differences -------------------------------------------------------------------- */

/* A network in double precision that reads the parameters in the order in which they were added. */
struct plain {
    const limn_params *params;
    double *values; /* [n_floats] */
    size_t next;    /* parameter */
};

struct plain_map {
    double *x; /* [side, side, n] */
    size_t side, n;
};

static double plain_sum(const struct plain *p, const struct plain_map *in, size_t kernel,
                        size_t stride, bool is_depthwise, size_t row, size_t column, size_t o)
{
    const double *w = p->values + p->params->items[p->next].offset;
    const double *bias = p->values + p->params->items[p->next + 1].offset;
    const size_t out_side = (in->side + stride - 1) / stride;
    const long covered = (long)((out_side - 1) * stride + kernel);
    const long before = covered > (long)in->side ? (covered - (long)in->side) / 2 : 0;
    const size_t n = is_depthwise ? 1 : in->n;
    double sum = bias[o];
    for (size_t c = 0; c < n; c++)
        for (size_t tap = 0; tap < kernel * kernel; tap++) {
            const long y = (long)(row * stride + tap / kernel) - before;
            const long x = (long)(column * stride + tap % kernel) - before;
            if (y >= 0 && x >= 0 && y < (long)in->side && x < (long)in->side)
                sum += w[(o * n + c) * kernel * kernel + tap] *
                       in->x[((size_t)y * in->side + (size_t)x) * in->n + (is_depthwise ? o : c)];
        }
    return sum;
}

static struct plain_map plain_convolve(struct plain *p, const struct plain_map *in, size_t n_out,
                                       size_t kernel, size_t stride, bool is_depthwise,
                                       bool has_relu6)
{
    struct plain_map out = { .side = (in->side + stride - 1) / stride, .n = n_out };
    out.x = limn_alloc(out.side * out.side * n_out, sizeof *out.x);
    for (size_t i = 0; i < out.side * out.side * n_out; i++) {
        const size_t position = i / n_out;
        const double v = plain_sum(p, in, kernel, stride, is_depthwise, position / out.side,
                                   position % out.side, i % n_out);
        out.x[i] = has_relu6 ? fmin(fmax(v, 0), 6) : v;
    }
    p->next += 2;
    return out;
}

static struct plain_map plain_block(struct plain *p, struct plain_map x, const limn_mbconv_shape *s)
{
    struct plain_map e = x, f, y;
    if (s->n_expanded != s->n_inputs) e = plain_convolve(p, &x, s->n_expanded, 1, 1, false, true);
    f = plain_convolve(p, &e, s->n_expanded, s->kernel, s->stride, true, true);
    y = plain_convolve(p, &f, s->n_outputs, 1, 1, false, false);
    if (s->stride == 1 && s->n_inputs == s->n_outputs)
        for (size_t i = 0; i < y.side * y.side * y.n; i++) y.x[i] += x.x[i];
    if (e.x != x.x) limn_free(e.x);
    limn_free(f.x);
    limn_free(x.x);
    return y;
}

/* The sum of features * d_features of one image. */
static double plain_loss(struct plain *p, const uint8_t *pixels, const float *d_features)
{
    struct plain_map in = { .side = tiny.input.width, .n = 3 }, x;
    double loss = 0;
    in.x = limn_alloc(in.side * in.side * in.n, sizeof *in.x);
    for (size_t i = 0; i < in.side * in.side * in.n; i++)
        in.x[i] = ((double)pixels[i] - tiny.input.mean[0]) * tiny.input.scale[0];
    p->next = 0;
    x = plain_convolve(p, &in, tiny.shape.n_stem, 3, 2, false, true);
    for (size_t i = 0; i < tiny.shape.n_blocks; i++) x = plain_block(p, x, &tiny.shape.blocks[i]);
    const struct plain_map y = plain_convolve(p, &x, tiny.shape.n_head, 1, 1, false, true);
    for (size_t i = 0; i < y.side * y.side * y.n; i++) loss += y.x[i] * d_features[i];
    limn_free(in.x);
    limn_free(x.x);
    limn_free(y.x);
    return loss;
}

/* The slope of the loss along a parameter's gradient, scaled to length 1. */
static double slope_along(struct plain *p, const limn_param *item, double length,
                          const uint8_t *pixels, const float *d_features)
{
    const double h = 1e-6; /* so short that hardly any ReLU6 crosses a bend on the way */
    const float *gradient = p->params->gradients + item->offset;
    double *values = p->values + item->offset, loss[2];
    for (int i = 0; i < 2; i++) {
        const double step = (i == 0 ? h : -h) / length;
        for (size_t j = 0; j < item->n; j++)
            values[j] = p->params->values[item->offset + j] + step * gradient[j];
        loss[i] = plain_loss(p, pixels, d_features);
    }
    for (size_t j = 0; j < item->n; j++) values[j] = p->params->values[item->offset + j];
    return (loss[0] - loss[1]) / (2 * h);
}

static void test_gradients_equal_finite_differences(void **state)
{
    struct fixture f;
    (void)state;
    open_tiny(&f, 2, limn_cpu_best());
    struct plain p = { .params = &f.params,
                       .values = limn_alloc(f.params.n_floats, sizeof *p.values) };
    float *d_features = read_tensor(&f, "", "d_features", N_FEATURES);
    for (size_t i = 0; i < f.params.n_floats; i++) p.values[i] = f.params.values[i];
    limn_lite_trainer_forward(f.trainer, tiny_pixels(&f), 1);
    limn_lite_trainer_backward(f.trainer, d_features);
    for (size_t i = 0; i < f.params.n_items; i++) {
        const limn_param *item = &f.params.items[i];
        double length = 0;
        for (size_t j = 0; j < item->n; j++) length += pow(f.params.gradients[item->offset + j], 2);
        length = sqrt(length);
        assert_true(length > 0.1);
        const double slope = slope_along(&p, item, length, tiny_pixels(&f), d_features);
        if (!(fabs(slope - length) <= 1e-4 * length))
            fail_msg("%s: slope %.8g, length of the gradient %.8g", item->name, slope, length);
    }
    limn_free(d_features);
    limn_free(p.values);
    close_fixture(&f);
}

/* ---- cuts ---------------------------------------------------------------------------------- */

/* Lite0 on small images, with random weights. */
static limn_lite_trainer_settings lite0_settings(size_t first_stage)
{
    limn_lite_trainer_settings s = {
        .input = limn_input_square(34, LIMN_RESIZE_BICUBIC, 127, 1 / 128.0f),
        .first_stage = first_stage,
        .max_images = N_IMAGES,
    };
    limn_efficientnet_lite_shape_at(&s.shape, 0);
    return s;
}

static void open_lite0(struct fixture *f, size_t first_stage)
{
    const limn_lite_trainer_settings settings = lite0_settings(first_stage);
    memset(f, 0, sizeof *f);
    open_trainer(f, &settings, 2, limn_cpu_best());
}

static void draw_values(struct fixture *f)
{
    for (size_t i = 0; i < f->params.n_items; i++) {
        const limn_param *p = &f->params.items[i];
        limn_rng rng = limn_rng_stream(3, p->name, strlen(p->name));
        const double size = p->n_dims > 1 ? 3.0 / sqrt((double)p->n / (double)p->shape[0]) : 0.3;
        for (size_t j = 0; j < p->n; j++)
            f->params.values[p->offset + j] = (float)(size * (limn_rng_uniform(&rng) - 0.45));
    }
}

static void fill_random(uint8_t *pixels, float *d_features, size_t n_pixels, size_t n_features)
{
    limn_rng rng = limn_rng_stream(4, "pictures", 8);
    for (size_t i = 0; i < n_pixels; i++) pixels[i] = (uint8_t)limn_rng_below(&rng, 256);
    for (size_t i = 0; i < n_features; i++) d_features[i] = (float)limn_rng_normal(&rng);
}

/* The maps of the stage before `stage`, by the encoder used for captioning. */
static float *cut_maps(const limn_encoder *e, const uint8_t *pixels, size_t n_pixels, size_t stage)
{
    const size_t n =
        limn_feature_floats(limn_encoder_stage_shape(limn_encoder_get_config(e), stage - 1));
    float *maps = limn_alloc(N_IMAGES * n, sizeof *maps);
    limn_encoder_state *s;
    assert_int_equal(limn_encoder_state_create(&s, e, NULL), LIMN_OK);
    for (size_t i = 0; i < N_IMAGES; i++)
        limn_encoder_run_stages(e, s, NULL, pixels + i * n_pixels, stage - 1, maps + i * n);
    limn_encoder_state_destroy(&s);
    return maps;
}

static void check_cut(const struct fixture *whole, size_t stage, const float *maps,
                      const float *features, size_t n_features, const float *d_features)
{
    struct fixture f;
    open_lite0(&f, stage);
    for (size_t i = 0; i < f.params.n_items; i++) {
        const limn_param *p = &f.params.items[i], *q = limn_params_find(&whole->params, p->name);
        memcpy(f.params.values + p->offset, whole->params.values + q->offset, p->n * sizeof(float));
    }
    const float *got = limn_lite_trainer_forward_cut(f.trainer, maps, N_IMAGES);
    assert_memory_equal(got, features, n_features * sizeof *got);
    limn_lite_trainer_backward(f.trainer, d_features);
    for (size_t i = 0; i < f.params.n_items; i++) {
        const limn_param *p = &f.params.items[i], *q = limn_params_find(&whole->params, p->name);
        assert_memory_equal(f.params.gradients + p->offset, whole->params.gradients + q->offset,
                            p->n * sizeof(float));
    }
    close_fixture(&f);
}

static void test_features_are_the_encoders_and_cuts_change_nothing(void **state)
{
    static const size_t cuts[] = { 1, 2, 3, 6, 12, 16, 17 };
    const limn_lite_trainer_settings settings = lite0_settings(0);
    const limn_encoder_config config = { .family = "efficientnet-lite0", .input = settings.input };
    const size_t n_pixels = limn_input_bytes(&settings.input);
    struct fixture whole;
    limn_safetensors *source;
    limn_encoder *e;
    (void)state;
    open_lite0(&whole, 0);
    draw_values(&whole);
    assert_int_equal(limn_params_open(&source, &whole.params, whole.params.values, NULL), LIMN_OK);
    assert_int_equal(limn_encoder_open(&e, source, &config, kernels_of(limn_cpu_best()), NULL),
                     LIMN_OK);
    const size_t n_stages = limn_encoder_count_stages(&config);
    const size_t n_features = N_IMAGES * limn_encoder_n_positions(e) * limn_encoder_dim(e);
    uint8_t *pixels = limn_alloc(N_IMAGES, n_pixels);
    float *d_features = limn_alloc(n_features, sizeof *d_features);
    fill_random(pixels, d_features, N_IMAGES * n_pixels, n_features);
    const float *features = limn_lite_trainer_forward(whole.trainer, pixels, N_IMAGES);
    float *expected = cut_maps(e, pixels, n_pixels, n_stages);
    assert_memory_equal(features, expected, n_features * sizeof *features);
    limn_lite_trainer_backward(whole.trainer, d_features);
    limn_free(expected);
    assert_int_equal(n_stages, 18);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const size_t stage = cuts[i];
        float *maps = cut_maps(e, pixels, n_pixels, stage);
        check_cut(&whole, stage, maps, features, n_features, d_features);
        limn_free(maps);
    }
    limn_free(pixels);
    limn_free(d_features);
    limn_encoder_close(&e);
    limn_safetensors_close(&source);
    close_fixture(&whole);
}

static void test_gradients_add_up_and_missing_parameters_are_named(void **state)
{
    limn_lite_trainer_settings settings = tiny;
    limn_lite_trainer *t;
    limn_error err = { 0 };
    struct fixture once, twice;
    (void)state;
    open_tiny(&once, 1, limn_cpu_best());
    open_tiny(&twice, 1, limn_cpu_best());
    run_tiny(&once);
    run_tiny(&twice);
    run_tiny(&twice);
    for (size_t i = 0; i < once.params.n_floats; i++) once.params.gradients[i] *= 2;
    for (size_t i = 0; i < once.params.n_items; i++) {
        const limn_param *p = &once.params.items[i];
        assert_close(p->name, twice.params.gradients + p->offset, once.params.gradients + p->offset,
                     p->n);
    }
    settings.shape.n_head = 24;
    assert_int_equal(limn_lite_trainer_create(&t, &settings, &once.params, NULL, LIMN_CPU_C, &err),
                     LIMN_E_ARG);
    assert_null(t);
    assert_string_equal(err.text, "parameter 'encoder.head.weight' of 384 values is missing");
    close_fixture(&once);
    close_fixture(&twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_and_gradients_equal_pytorch),
        cmocka_unit_test(test_threads_and_levels_do_not_change_bits),
        cmocka_unit_test(test_gradients_equal_finite_differences),
        cmocka_unit_test(test_features_are_the_encoders_and_cuts_change_nothing),
        cmocka_unit_test(test_gradients_add_up_and_missing_parameters_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

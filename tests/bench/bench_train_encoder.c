/* Milliseconds an image of training the encoder, forward and backward, with made-up weights and
 * images.
 *
 *     bench_train_encoder [THREADS [STEPS [IMAGES [FIRST_STAGE [FAMILY]]]]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "encoder/efficientnet_lite/lite_trainer.h"

struct bench {
    limn_lite_trainer_settings settings;
    limn_pool *pool;
    limn_params params;
    limn_lite_trainer *trainer;
    uint8_t *pixels;
    float *maps, *gradients;
};

static size_t map_size(const struct bench *b, size_t stage)
{
    const limn_lite_map m =
        limn_efficientnet_lite_map(&b->settings.shape, b->settings.input.width, stage);
    return m.side * m.side * m.n_channels;
}

static void fill(float *x, size_t n, double size, limn_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(size * (limn_rng_uniform(rng) - 0.45));
}

static void make_input(struct bench *b)
{
    const size_t n = b->settings.max_images, side = b->settings.input.width;
    const size_t first_stage = b->settings.first_stage;
    limn_rng rng = limn_rng_stream(1, "bench", 5);
    for (size_t i = 0; i < b->params.n_items; i++) {
        const limn_param *p = &b->params.items[i];
        const double fan_in = (double)p->n / (double)p->shape[0];
        fill(b->params.values + p->offset, p->n, p->n_dims > 1 ? 3 / sqrt(fan_in) : 0.3, &rng);
    }
    b->pixels = limn_calloc(n, side * side * 3);
    for (size_t i = 0; i < n * side * side * 3; i++)
        b->pixels[i] = (uint8_t)limn_rng_below(&rng, 256);
    if (first_stage > 0) {
        b->maps = limn_alloc(n * map_size(b, first_stage - 1), sizeof *b->maps);
        fill(b->maps, n * map_size(b, first_stage - 1), 4, &rng);
    }
    const size_t n_features = n * map_size(b, b->settings.shape.n_blocks + 1);
    b->gradients = limn_alloc(n_features, sizeof *b->gradients);
    fill(b->gradients, n_features, 1, &rng);
}

static limn_status open_bench(struct bench *b, size_t n_threads, limn_error *err)
{
    limn_lite_trainer_settings *s = &b->settings;
    LIMN_TRY(limn_pool_create(&b->pool, n_threads, err));
    LIMN_TRY(limn_lite_params_add(&b->params, &s->shape, s->first_stage, 1.0f, err));
    LIMN_TRY(limn_params_allocate(&b->params, err));
    LIMN_TRY(limn_lite_trainer_create(&b->trainer, s, &b->params, b->pool, limn_cpu_best(), err));
    make_input(b);
    printf("%s from stage %zu: %zu MB beside %zu MB of parameters and gradients\n", s->shape.family,
           s->first_stage, limn_lite_trainer_bytes(s, n_threads) / 1000000,
           2 * b->params.n_floats * sizeof(float) / 1000000);
    return LIMN_OK;
}

static void run(struct bench *b, size_t n_steps)
{
    const size_t n = b->settings.max_images;
    double best[2] = { 1e9, 1e9 };
    for (size_t i = 0; i < n_steps; i++) {
        const double start = limn_clock_seconds();
        if (b->maps)
            limn_lite_trainer_forward_cut(b->trainer, b->maps, n);
        else
            limn_lite_trainer_forward(b->trainer, b->pixels, n);
        const double middle = limn_clock_seconds();
        limn_lite_trainer_backward(b->trainer, b->gradients);
        const double end = limn_clock_seconds();
        best[0] = middle - start < best[0] ? middle - start : best[0];
        best[1] = end - middle < best[1] ? end - middle : best[1];
    }
    printf("an image: forward %.2f ms, backward %.2f ms (best of %zu)\n", 1e3 * best[0] / (double)n,
           1e3 * best[1] / (double)n, n_steps);
}

static size_t number(int argc, char **argv, int i, size_t otherwise)
{
    return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct bench b = { .settings = { .max_images = number(argc, argv, 3, 32),
                                     .first_stage = number(argc, argv, 4, 0) } };
    const char *family = argc > 5 ? argv[5] : "efficientnet-lite0";
    limn_lite_trainer_settings *s = &b.settings;
    limn_error err = { 0 };
    if (!limn_efficientnet_lite_shape_find(&s->shape, family)) {
        fprintf(stderr, "bench_train_encoder: no family %s\n", family);
        return 1;
    }
    s->input = limn_input_square(s->shape.input_size, LIMN_RESIZE_BICUBIC, 127, 1 / 128.0f);
    if (open_bench(&b, number(argc, argv, 1, 2), &err) != LIMN_OK) {
        fprintf(stderr, "bench_train_encoder: %s\n", err.text);
        return 1;
    }
    run(&b, number(argc, argv, 2, 3));
    limn_lite_trainer_destroy(&b.trainer);
    limn_params_finish(&b.params);
    limn_pool_destroy(&b.pool);
    limn_free(b.pixels);
    limn_free(b.maps);
    limn_free(b.gradients);
    return 0;
}

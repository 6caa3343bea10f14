/* Tokens a second of the features stage: forward, backward and optimizer step on the reference's
 * configuration with made-up features and captions of Flickr8k's lengths.
 *
 *     bench_train [THREADS [STEPS [IMAGES]]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "decoder/decoder_grad.h"
#include "models/train/adamw.h"
#include "models/train/optimizer_kinds.h"

enum { CAPTIONS_AN_IMAGE = 5, MAX_LENGTH = 24 };

static const limn_decoder_config config = {
    .n_layers = 3,
    .dim = 384,
    .n_heads = 8,
    .feed_forward_dim = 1536,
    .max_positions = 64,
    .n_tokens = 3027,
    .n_memory_positions = 49,
    .memory_dim = 1280,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
};

struct bench {
    limn_pool *pool;
    limn_params params;
    limn_optimizer adamw;
    limn_decoder_trainer *trainer;
    limn_decoder_batch batch;
    uint32_t *images, *offsets, *tokens;
    float *features;
};

/* Lengths of 8 … 16 tokens, 12 on average, as Flickr8k's with the end token. */
static void make_batch(struct bench *b, size_t n_images)
{
    const size_t n_captions = n_images * CAPTIONS_AN_IMAGE;
    const size_t n_features = n_images * config.n_memory_positions * config.memory_dim;
    limn_rng rng = limn_rng_stream(1, "bench", 5);
    b->images = limn_alloc(n_captions, sizeof *b->images);
    b->offsets = limn_calloc(n_captions + 1, sizeof *b->offsets);
    b->tokens = limn_alloc(n_captions * MAX_LENGTH, sizeof *b->tokens);
    b->features = limn_alloc(n_features, sizeof *b->features);
    for (size_t i = 0; i < n_features; i++) b->features[i] = (float)(6 * limn_rng_uniform(&rng));
    for (size_t i = 0; i < n_captions; i++) {
        b->images[i] = (uint32_t)(i / CAPTIONS_AN_IMAGE);
        b->offsets[i + 1] = b->offsets[i] + 8 + (uint32_t)limn_rng_below(&rng, 9);
    }
    for (size_t i = 0; i < b->offsets[n_captions]; i++)
        b->tokens[i] = 4 + (uint32_t)limn_rng_below(&rng, config.n_tokens - 4);
    b->batch = (limn_decoder_batch){ .n_images = n_images,
                                     .n_captions = n_captions,
                                     .features = b->features,
                                     .images = b->images,
                                     .offsets = b->offsets,
                                     .inputs = b->tokens,
                                     .targets = b->tokens };
}

static limn_status open_bench(struct bench *b, size_t n_threads, size_t n_images, limn_error *err)
{
    const limn_decoder_limits limits = { n_images * CAPTIONS_AN_IMAGE * MAX_LENGTH, n_images };
    LIMN_TRY(limn_pool_create(&b->pool, n_threads, err));
    LIMN_TRY(limn_decoder_params_add(&b->params, &config, err));
    LIMN_TRY(limn_params_allocate(&b->params, err));
    limn_decoder_params_init(&b->params, 1);
    LIMN_TRY(limn_optimizer_init(&b->adamw, &limn_adamw, &b->params, err));
    LIMN_TRY(limn_decoder_trainer_create(&b->trainer, &config, &b->params, &limits, b->pool,
                                         limn_cpu_best(), err));
    make_batch(b, n_images);
    printf("memory: %.0f MB of activations, %.0f MB of parameters and moments\n",
           limn_decoder_trainer_bytes(&config, &limits) / 1e6, b->params.n_floats * 20 / 1e6);
    return LIMN_OK;
}

static limn_status run_step(struct bench *b, uint64_t step, double *loss, limn_error *err)
{
    const limn_optimizer_settings optimizer = limn_optimizer_settings_default();
    const size_t n_rows = b->offsets[b->batch.n_captions];
    const limn_decoder_grad_settings settings = {
        .dropout = 0.2f, .label_smoothing = 0.1f, .seed = step, .scale = 1.0f / (float)n_rows
    };
    limn_params_clear_gradients(&b->params);
    LIMN_TRY(limn_decoder_trainer_run(b->trainer, &b->batch, &settings, NULL, loss, err));
    limn_optimizer_step(&b->adamw, &b->params, &optimizer, 3e-4f,
                        limn_gradient_norm(&b->params, b->pool), b->pool);
    return LIMN_OK;
}

int main(int argc, char **argv)
{
    const size_t n_threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
    const size_t n_steps = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    const size_t n_images = argc > 3 ? strtoul(argv[3], NULL, 10) : 64;
    struct bench b = { 0 };
    limn_error err = { 0 };
    double loss = 0, best = 1e9;
    limn_status status = open_bench(&b, n_threads, n_images, &err);
    for (size_t i = 0; status == LIMN_OK && i < n_steps; i++) {
        const double start = limn_clock_seconds();
        status = run_step(&b, i, &loss, &err);
        const double took = limn_clock_seconds() - start;
        best = took < best ? took : best;
    }
    if (status != LIMN_OK) {
        fprintf(stderr, "bench_train: %s\n", err.text);
        return 1;
    }
    const size_t n_rows = b.offsets[b.batch.n_captions];
    printf("loss a token %.4f\n%.0f tokens/s (%zu tokens in %.3f s, best of %zu steps)\n",
           loss / (double)n_rows, (double)n_rows / best, n_rows, best, n_steps);
    limn_decoder_trainer_destroy(&b.trainer);
    limn_optimizer_finish(&b.adamw);
    limn_params_finish(&b.params);
    limn_pool_destroy(&b.pool);
    limn_free(b.images);
    limn_free(b.offsets);
    limn_free(b.tokens);
    limn_free(b.features);
    return 0;
}

/* bench_encoder MODEL [RUNS [CPU [THREADS]]]: milliseconds of one image through the encoder
 * alone, from resized pixels to features. Prints "encoder CPU threads N: min MS median MS". */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "models/model_file.h"
#include "tests/fixtures/kernels_of.h"

typedef struct bench {
    limn_model_file file;
    limn_encoder *encoder;
    limn_encoder_state *state;
    limn_pool *pool;
    uint8_t *pixels;
    float *features;
    double *times; /* [n_runs] milliseconds */
    size_t n_runs;
} bench;

static limn_status open_bench(bench *b, char **argv, int argc, limn_error *err)
{
    limn_cpu_level level;
    LIMN_TRY(limn_cpu_level_parse(&level, argc > 3 ? argv[3] : NULL, err));
    LIMN_TRY(limn_pool_create(&b->pool, argc > 4 ? strtoul(argv[4], NULL, 10) : 1, err));
    LIMN_TRY(limn_model_file_open(&b->file, argv[1], err));
    LIMN_TRY(limn_encoder_open(&b->encoder, b->file.tensors, &b->file.config.encoder,
                               kernels_of(level), err));
    LIMN_TRY(limn_encoder_state_create(&b->state, b->encoder, err));
    const size_t side = b->file.config.encoder.input.width;
    b->n_runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
    b->pixels = limn_alloc(side * side, 3);
    b->features = limn_alloc(limn_encoder_n_positions(b->encoder) * limn_encoder_dim(b->encoder),
                             sizeof *b->features);
    b->times = limn_alloc(b->n_runs, sizeof *b->times);
    if (!b->pixels || !b->features || !b->times || b->n_runs == 0)
        return limn_fail(err, LIMN_E_ARG, "%zu runs: none, or no memory for them", b->n_runs);
    limn_rng rng = limn_rng_stream(1, "pixels", 6);
    for (size_t i = 0; i < side * side * 3; i++) b->pixels[i] = (uint8_t)limn_rng_next(&rng);
    printf("encoder %s threads %zu: ", limn_cpu_level_name(level), limn_pool_n_threads(b->pool));
    return LIMN_OK;
}

static void close_bench(bench *b)
{
    limn_encoder_state_destroy(&b->state);
    limn_encoder_close(&b->encoder);
    limn_model_file_close(&b->file);
    limn_pool_destroy(&b->pool);
    limn_free(b->pixels);
    limn_free(b->features);
    limn_free(b->times);
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run_bench(bench *b)
{
    limn_encoder_run(b->encoder, b->state, b->pool, b->pixels, b->features); /* warms the caches */
    for (size_t i = 0; i < b->n_runs; i++) {
        const double start = 1e3 * limn_clock_seconds();
        limn_encoder_run(b->encoder, b->state, b->pool, b->pixels, b->features);
        b->times[i] = 1e3 * limn_clock_seconds() - start;
    }
    qsort(b->times, b->n_runs, sizeof *b->times, compare_times);
    printf("min %.3f median %.3f\n", b->times[0], b->times[b->n_runs / 2]);
}

int main(int argc, char **argv)
{
    bench b = { 0 };
    limn_error err = { 0 };
    if (argc < 2 || argc > 5) {
        fprintf(stderr, "usage: bench_encoder MODEL [RUNS [CPU [THREADS]]]\n");
        return 1;
    }
    const limn_status status = open_bench(&b, argv, argc, &err);
    if (status == LIMN_OK)
        run_bench(&b);
    else
        fprintf(stderr, "bench_encoder: %s\n", err.text);
    close_bench(&b);
    return status == LIMN_OK ? 0 : 2;
}

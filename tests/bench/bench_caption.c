/* bench_caption MODEL [BEAM [CPU [THREADS [TOGETHER]]]] < NAMES: captions of image files, named one
 * a line, from their bytes in memory, TOGETHER of them at once (0, the default: as many as there is
 * room for). Prints the first caption's time (model opened, state made), then for all of them, in
 * the fastest of 5 rounds, milliseconds of loading, encoder and decoder and captions a second, the
 * largest resident memory, and a checksum of all captions. "-" for CPU: the best level. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/captioner.h"
#include "models/captioner_model.h"

enum { MAX_IMAGES = 4096, N_ROUNDS = 5 };

typedef struct times {
    double load, encode, caption; /* milliseconds of all images; caption: encoder and decoder */
} times;

typedef struct bench {
    limn_model *model;
    limn_state *state;
    limn_encoder_state *encoder; /* to time the encoder alone */
    limn_pool *pool;
    uint8_t *input;
    float *features;
    unsigned char *bytes[MAX_IMAGES];
    size_t sizes[MAX_IMAGES], n_images;
    uint32_t n_together;
    times round; /* the one in progress */
    size_t n_begun;
    uint64_t sums[MAX_IMAGES]; /* of each image's captions */
    limn_error failure;
} bench;

static limn_status read_images(bench *b, limn_error *err)
{
    char name[4096];
    while (b->n_images < MAX_IMAGES && fgets(name, sizeof name, stdin)) {
        const size_t i = b->n_images;
        name[strcspn(name, "\n")] = '\0';
        LIMN_TRY(limn_file_read(&b->bytes[i], &b->sizes[i], name, (size_t)1 << 30, err));
        b->n_images++;
    }
    return b->n_images ? LIMN_OK : limn_fail(err, LIMN_E_ARG, "no images are named");
}

static limn_status open_bench(bench *b, char **argv, int argc, limn_error *err)
{
    const uint32_t n_threads = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    limn_options options = limn_options_default();
    const limn_captions *captions;
    LIMN_TRY(read_images(b, err));
    const double start = 1e3 * limn_clock_seconds();
    const char *level = argc > 3 && strcmp(argv[3], "-") != 0 ? argv[3] : NULL;
    if (argc > 2) options.beam_size = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc > 5) b->n_together = (uint32_t)strtoul(argv[5], NULL, 10);
    LIMN_TRY(limn_model_open(&b->model, argv[1], level, err));
    LIMN_TRY(limn_state_create(&b->state, b->model, &options, n_threads, err));
    LIMN_TRY(limn_state_caption_bytes(b->state, NULL, b->bytes[0], b->sizes[0], &captions, err));
    printf("first caption %.1f ms: %s\n", 1e3 * limn_clock_seconds() - start,
           captions->items[0].text);
    const size_t side = b->model->config.encoder.input.width;
    const size_t n_features =
        limn_encoder_n_positions(b->model->encoder) * limn_encoder_dim(b->model->encoder);
    b->input = limn_alloc(side * side, 3);
    b->features = limn_alloc(n_features, sizeof *b->features);
    if (!b->input || !b->features) return limn_fail(err, LIMN_E_NOMEM, "no memory for an image");
    LIMN_TRY(limn_pool_create(&b->pool, n_threads, err));
    return limn_encoder_state_create(&b->encoder, b->model->encoder, err);
}

static void close_bench(bench *b)
{
    limn_encoder_state_destroy(&b->encoder);
    limn_state_destroy(&b->state);
    limn_model_close(&b->model);
    limn_pool_destroy(&b->pool);
    for (size_t i = 0; i < b->n_images; i++) limn_free(b->bytes[i]);
    limn_free(b->input);
    limn_free(b->features);
}

/* Loads the next image, and runs the encoder on it once more to time it. */
static bool next_image(void *ctx, limn_source_image *out)
{
    bench *b = ctx;
    const size_t i = b->n_begun;
    if (i == b->n_images || b->failure.code) return false;
    const double start = 1e3 * limn_clock_seconds();
    if (limn_state_load(b->state, b->bytes[i], b->sizes[i], b->input, NULL, NULL, &b->failure))
        return false;
    const double loaded = 1e3 * limn_clock_seconds();
    limn_encoder_run(b->model->encoder, b->encoder, b->pool, b->input, b->features);
    b->round.load += loaded - start;
    b->round.encode += 1e3 * limn_clock_seconds() - loaded;
    *out = (limn_source_image){ .input = b->input, .image = &b->sums[i] };
    b->n_begun++;
    return true;
}

static void image_done(void *ctx, void *image, const limn_captions *captions,
                       const limn_error *failure)
{
    bench *b = ctx;
    uint64_t *sum = image;
    if (failure) {
        b->failure = *failure;
        return;
    }
    const limn_caption *best = &captions->items[0];
    *sum = limn_fnv1a64(LIMN_FNV1A64_INIT, best->text, strlen(best->text));
    *sum = limn_fnv1a64(*sum, &best->logprob, sizeof best->logprob);
}

static limn_status run_round(bench *b, times *t, limn_error *err)
{
    const limn_caption_source source = { b, next_image, image_done, b->n_together };
    const double start = 1e3 * limn_clock_seconds();
    b->round = (times){ 0 };
    b->n_begun = 0;
    LIMN_TRY(limn_state_caption_many(b->state, &source, err));
    if (b->failure.code) return limn_fail(err, b->failure.code, "%s", b->failure.text);
    b->round.caption = 1e3 * limn_clock_seconds() - start - b->round.load - b->round.encode;
    *t = b->round;
    return LIMN_OK;
}

static limn_status run_bench(bench *b, limn_error *err)
{
    const double n = (double)b->n_images;
    times best = { 1e300, 0, 1e300 }, t = { 0 };
    for (int i = 0; i < N_ROUNDS; i++) {
        LIMN_TRY(run_round(b, &t, err));
        if (t.load + t.caption < best.load + best.caption) best = t;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu images, each: loading %.2f ms, encoder %.2f ms, decoder %.2f ms\n", b->n_images,
           best.load / n, best.encode / n, (best.caption - best.encode) / n);
    printf("%.1f captions/s; %.0f MB resident; captions %016llx\n",
           1e3 * n / (best.load + best.caption), (double)usage.ru_maxrss / 1e3,
           (unsigned long long)limn_fnv1a64(LIMN_FNV1A64_INIT, b->sums,
                                            b->n_images * sizeof *b->sums));
    return LIMN_OK;
}

int main(int argc, char **argv)
{
    static bench b;
    limn_error err = { 0 };
    if (argc < 2 || argc > 6) {
        fprintf(stderr, "usage: bench_caption MODEL [BEAM [CPU [THREADS [TOGETHER]]]] < NAMES\n");
        return 1;
    }
    limn_status status = open_bench(&b, argv, argc, &err);
    if (status == LIMN_OK) status = run_bench(&b, &err);
    if (status != LIMN_OK) fprintf(stderr, "bench_caption: %s\n", err.text);
    close_bench(&b);
    return status == LIMN_OK ? 0 : 2;
}

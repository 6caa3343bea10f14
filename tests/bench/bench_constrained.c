/* bench_constrained MODEL [BEAM [ROUNDS]] < LINES: what a required word costs. Each line is PATH, a
 * tab and words with spaces between; the first of them that the model knows is required of that
 * image's caption. Prints a line an image, PATH, the word, its caption without and with the
 * requirement, tabs between (images of which no word is known are left out), and last
 * "# FREE CONSTRAINED": milliseconds of processor time an image, from its bytes in memory to the
 * caption, on one thread, of each image the fastest of ROUNDS (default 3; making the state is
 * left out). required_words.py makes the lines and scores the captions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/captioner.h"

typedef struct bench {
    limn_model *model;
    limn_options options;
    limn_state *state; /* without requirements */
    unsigned long n_rounds;
    size_t n_images;
    double free_ms, constrained_ms;
} bench;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

typedef struct image {
    const char *path, *word;
    unsigned char *bytes;
    size_t size;
} image;

/* Captions the image once; *best_ms is the least time so far. */
static limn_status caption(limn_state *state, const image *p, const limn_captions **captions,
                           double *best_ms, limn_error *err)
{
    const double start = now_ms();
    LIMN_TRY(limn_state_caption_bytes(state, p->path, p->bytes, p->size, captions, err));
    const double ms = now_ms() - start;
    *best_ms = ms < *best_ms ? ms : *best_ms;
    return LIMN_OK;
}

static limn_status compare(bench *b, limn_state *constrained, const image *p, limn_error *err)
{
    const limn_captions *with = NULL, *without = NULL;
    double free_ms = 1e300, constrained_ms = 1e300;
    for (unsigned long i = 0; i < b->n_rounds; i++) {
        LIMN_TRY(caption(b->state, p, &without, &free_ms, err));
        LIMN_TRY(caption(constrained, p, &with, &constrained_ms, err));
    }
    printf("%s\t%s\t%s\t%s\n", p->path, p->word, without->items[0].text, with->items[0].text);
    b->free_ms += free_ms;
    b->constrained_ms += constrained_ms;
    b->n_images++;
    return LIMN_OK;
}

static limn_status run_image(bench *b, image *p, limn_error *err)
{
    limn_state *constrained = NULL;
    limn_options options = b->options;
    options.required = &p->word;
    options.n_required = 1;
    LIMN_TRY(limn_file_read(&p->bytes, &p->size, p->path, (size_t)1 << 30, err));
    limn_status status = limn_state_create(&constrained, b->model, &options, 1, err);
    if (status == LIMN_OK) status = compare(b, constrained, p, err);
    limn_state_destroy(&constrained);
    limn_free(p->bytes);
    return status;
}

static limn_status run_line(bench *b, char *line, limn_error *err)
{
    const char *path = strtok(line, "\t"), *word = strtok(NULL, " \n");
    while (word && !limn_model_knows(b->model, word)) word = strtok(NULL, " \n");
    if (!word) return LIMN_OK;
    return run_image(b, &(image){ .path = path, .word = word }, err);
}

static limn_status run(bench *b, int argc, char **argv, limn_error *err)
{
    static char line[1 << 16];
    b->options = limn_options_default();
    if (argc > 2) b->options.beam_size = (uint32_t)strtoul(argv[2], NULL, 10);
    b->n_rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 3;
    LIMN_TRY(limn_model_open(&b->model, argv[1], NULL, err));
    LIMN_TRY(limn_state_create(&b->state, b->model, &b->options, 1, err));
    while (fgets(line, sizeof line, stdin)) LIMN_TRY(run_line(b, line, err));
    if (b->n_images == 0)
        return limn_fail(err, LIMN_E_ARG, "no images, or no word that the model knows");
    printf("# %.3f %.3f\n", b->free_ms / (double)b->n_images,
           b->constrained_ms / (double)b->n_images);
    return LIMN_OK;
}

int main(int argc, char **argv)
{
    bench b = { 0 };
    limn_error err = { 0 };
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: bench_constrained MODEL [BEAM [ROUNDS]] < LINES\n");
        return 1;
    }
    const limn_status status = run(&b, argc, argv, &err);
    if (status != LIMN_OK) fprintf(stderr, "bench_constrained: %s\n", err.text);
    limn_state_destroy(&b.state);
    limn_model_close(&b.model);
    return status == LIMN_OK ? 0 : 2;
}

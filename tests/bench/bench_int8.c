/* bench_int8 [RUNS]: multiply-adds per cycle of products in int8, including the rounding of their
 * inputs, of every CPU level that runs here, for rows of a decoder (int8.h) and positions of an
 * encoder (codes.h). The least cycles of RUNS runs (200) count. They are those of the time-stamp
 * counter: where the processor runs faster than that, the figures are too high by as much. */
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/kernels/codes.h"
#include "tests/fixtures/kernels_of.h"

typedef struct shape {
    const char *product;
    size_t n_rows, n_inputs, n_outputs;
    limn_dtype dtype;
    bool has_codes;
} shape;

static const shape shapes[] = {
    { "decoder", 24, 384, 1536, LIMN_I8, false }, { "decoder", 3, 384, 1536, LIMN_I8, false },
    { "decoder", 24, 1536, 384, LIMN_I8, false }, { "encoder", 1089, 144, 48, LIMN_I8_PAIRS, true },
    { "encoder", 289, 88, 528, LIMN_I8, true },   { "encoder", 289, 528, 88, LIMN_I8, true },
    { "encoder", 81, 208, 1248, LIMN_I8, true },  { "encoder", 81, 1248, 208, LIMN_I8, true },
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* The operands of a shape. */
typedef struct operands {
    float *x, *w, *y, *steps;
    void *codes;
    limn_packed packed;
} operands;

static float *random_floats(limn_rng *rng, size_t n)
{
    float *x = limn_alloc(n, sizeof *x);
    for (size_t i = 0; x && i < n; i++) x[i] = (float)(limn_rng_uniform(rng) * 2.0 - 1.0);
    return x;
}

static limn_status make(operands *o, const shape *s, limn_error *err)
{
    limn_rng rng = limn_rng_stream(1, "operands", 8);
    o->x = random_floats(&rng, s->n_rows * s->n_inputs);
    o->w = random_floats(&rng, s->n_outputs * s->n_inputs);
    o->y = limn_alloc(s->n_rows * s->n_outputs, sizeof *o->y);
    o->steps = limn_alloc(s->n_rows, sizeof *o->steps);
    o->codes = limn_calloc(s->n_rows, LIMN_CODES_PADDED(s->n_inputs) * LIMN_CODES_MAX_SIZE);
    if (!o->x || !o->w || !o->y || !o->steps || !o->codes)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_packed_init(&o->packed, o->w, LIMN_F32, NULL, s->n_outputs, s->n_inputs, s->dtype,
                            err);
}

static void finish(operands *o)
{
    limn_packed_finish(&o->packed);
    limn_free(o->x);
    limn_free(o->w);
    limn_free(o->y);
    limn_free(o->steps);
    limn_free(o->codes);
}

static void multiply(const limn_kernels *k, const shape *s, operands *o)
{
    limn_linear_job job = { .y = o->y,
                            .x = o->x,
                            .n_rows = s->n_rows,
                            .x_stride = s->n_inputs,
                            .y_stride = s->n_outputs,
                            .w = &o->packed,
                            .panel_end = limn_n_panels(s->n_outputs) };
    if (!s->has_codes) {
        limn_linear(k, &job);
        return;
    }
    job.x_stride = LIMN_CODES_PADDED(s->n_inputs);
    k->encode_rows(o->codes, o->steps, o->x, s->n_rows, s->n_inputs, s->n_inputs);
    k->linear_codes(&(limn_codes_job){
        .product = job, .x = o->codes, .steps = o->steps, .zero = LIMN_CODES_ZERO_OF_ROW });
}

static uint64_t least_cycles(const limn_kernels *k, const shape *s, operands *o, size_t n_runs)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < n_runs; i++) {
        const uint64_t start = __rdtsc();
        multiply(k, s, o);
        const uint64_t cycles = __rdtsc() - start;
        least = cycles < least ? cycles : least;
    }
    return least;
}

static void print_levels(const shape *s, operands *o, size_t n_runs)
{
    printf("%s %4zu x %4zu -> %4zu%s", s->product, s->n_rows, s->n_inputs, s->n_outputs,
           s->dtype == LIMN_I8_PAIRS ? ", 14 bits:" : ":         ");
    for (int level = LIMN_CPU_C + 1; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        const uint64_t cycles = least_cycles(kernels_of((limn_cpu_level)level), s, o, n_runs);
        printf("  %s %.1f", limn_cpu_level_name((limn_cpu_level)level),
               (double)(s->n_rows * s->n_inputs * s->n_outputs) / (double)cycles);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    const size_t n_runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    limn_error err = { 0 };
    if (argc > 2 || n_runs == 0) {
        fprintf(stderr, "usage: bench_int8 [RUNS]\n");
        return 1;
    }
    for (size_t i = 0; i < N_SHAPES; i++) {
        operands o = { 0 };
        const limn_status status = make(&o, &shapes[i], &err);
        if (status == LIMN_OK) print_levels(&shapes[i], &o, n_runs);
        finish(&o);
        if (status != LIMN_OK) {
            fprintf(stderr, "bench_int8: %s\n", err.text);
            return 2;
        }
    }
    return 0;
}

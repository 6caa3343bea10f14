/* limn_kernels.depthwise: the C level against sums over a plain image (so that the padding and
 * the order of taps are checked too), every other level against C with memcmp. */
#include <math.h>

#include "tests/unit/kernel_check.h"

enum { N_CASES = 400, MAX_SIZE = 5 };

typedef struct test_case {
    limn_depthwise_job job; /* all but y */
    const float *rows[MAX_SIZE];
    float *x, *w, *bias;
    size_t y_size;
} test_case;

static void make_case(test_case *t, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "depthwise", 9);
    const size_t size = random_below(&rng, 2) ? 3 : 5, stride = 1 + random_below(&rng, 2);
    const size_t n_columns = random_below(&rng, 24), n_channels = random_below(&rng, 75);
    const size_t width = n_columns * stride + size;
    static const limn_activation activations[] = { LIMN_ACT_NONE, LIMN_ACT_RELU, LIMN_ACT_RELU6 };
    t->job = (limn_depthwise_job){
        .rows = t->rows,
        .n_columns = n_columns,
        .n_channels = n_channels,
        .size = size,
        .stride = stride,
        .x_stride = n_channels + random_below(&rng, 9),
        .y_stride = n_channels + random_below(&rng, 9),
        .w_stride = n_channels + random_below(&rng, 9),
        .activation = activations[random_below(&rng, 3)],
    };
    if (n_channels <= LIMN_FILTER_GROUP && random_below(&rng, 2))
        t->job.x_stride = t->job.w_stride = LIMN_FILTER_GROUP;
    t->x = random_floats(&rng, size * width * t->job.x_stride);
    t->w = random_floats(&rng, size * size * t->job.w_stride);
    t->bias = random_floats(&rng, n_channels);
    t->job.w = t->w;
    t->job.bias = t->bias;
    for (size_t ky = 0; ky < size; ky++)
        t->rows[ky] = random_below(&rng, 6) ? t->x + ky * width * t->job.x_stride : NULL;
    t->y_size = n_columns * t->job.y_stride + 8;
}

static void free_case(test_case *t)
{
    free(t->x);
    free(t->w);
    free(t->bias);
}

static float *run(const test_case *t, limn_cpu_level level)
{
    limn_kernels k;
    limn_kernels_init(&k, level);
    limn_depthwise_job job = t->job;
    float *y = canaries(t->y_size);
    job.y = y;
    k.depthwise(&job);
    return y;
}

static float expected_sum(const test_case *t, size_t column, size_t channel)
{
    const limn_depthwise_job *job = &t->job;
    float acc = t->bias[channel];
    for (size_t tap = 0; tap < job->size * job->size; tap++) {
        const float *row = t->rows[tap / job->size];
        const size_t x_column = column * job->stride + tap % job->size;
        if (row)
            acc = fmaf(row[x_column * job->x_stride + channel], t->w[tap * job->w_stride + channel],
                       acc);
    }
    if (job->activation != LIMN_ACT_NONE) acc = fmaxf(acc, 0.0f);
    return job->activation == LIMN_ACT_RELU6 ? fminf(acc, 6.0f) : acc;
}

static void test_c_computes_what_the_header_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        float *y = run(&t, LIMN_CPU_C), *expected = canaries(t.y_size);
        for (size_t j = 0; j < t.job.n_columns; j++)
            for (size_t c = 0; c < t.job.n_channels; c++)
                expected[j * t.job.y_stride + c] = expected_sum(&t, j, c);
        assert_memory_equal(y, expected, t.y_size * sizeof *y);
        free(y);
        free(expected);
        free_case(&t);
    }
}

/* Codes as bytes, whatever the level's own layout; the caller frees. */
static uint8_t *run_codes(const test_case *t, limn_cpu_level level)
{
    limn_kernels k;
    limn_kernels_init(&k, level);
    limn_depthwise_job job = t->job;
    unsigned char *codes = malloc(t->y_size * k.code_size);
    uint8_t *bytes = malloc(t->y_size);
    memset(codes, 0, t->y_size * k.code_size);
    job.codes = codes;
    k.depthwise(&job);
    for (size_t i = 0; i < t->y_size; i++) {
        uint16_t word = codes[i];
        if (k.code_size == 2) memcpy(&word, codes + 2 * i, sizeof word);
        assert_true(word <= 255);
        bytes[i] = (uint8_t)word;
    }
    free(codes);
    return bytes;
}

static void check_codes(const test_case *t)
{
    float *y = run(t, LIMN_CPU_C);
    for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        uint8_t *codes = run_codes(t, (limn_cpu_level)level);
        for (size_t i = 0; i < t->y_size; i++) {
            const bool is_written =
                i / t->job.y_stride < t->job.n_columns && i % t->job.y_stride < t->job.n_channels;
            assert_int_equal(codes[i], is_written ? 1 + (int)rintf(y[i] * (254.0f / 6)) : 0);
        }
        free(codes);
    }
    free(y);
}

/* Moves the biases so that an output of each channel is where its code changes, or next to it. */
static void go_to_limits(const test_case *t, limn_rng *rng)
{
    for (size_t c = 0; c < t->job.n_channels && t->job.n_columns > 0; c++) {
        const size_t column = random_below(rng, t->job.n_columns);
        const float limit = ((float)random_below(rng, 255) + 0.5f) * (6.0f / 254);
        for (int i = 0; i < 3; i++) t->bias[c] += limit - expected_sum(t, column, c);
        if (random_below(rng, 2)) t->bias[c] = nextafterf(t->bias[c], INFINITY);
    }
}

/* Operands of all sizes, some not finite. */
static void go_to_extremes(const test_case *t, limn_rng *rng)
{
    static const float values[] = {
        INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-45f, 1e-38f, 1e20f
    };
    const size_t width = t->job.n_columns * t->job.stride + t->job.size;
    const size_t n_x = t->job.size * width * t->job.x_stride;
    const size_t n_w = t->job.size * t->job.size * t->job.w_stride,
                 n = sizeof values / sizeof *values;
    for (int i = 0; i < 4 && t->job.n_channels > 0; i++) {
        t->x[random_below(rng, n_x)] = values[random_below(rng, n)];
        t->w[random_below(rng, n_w)] = values[random_below(rng, n)];
        t->bias[random_below(rng, t->job.n_channels)] = values[random_below(rng, n)];
    }
}

static void test_codes_are_what_follows_from_the_floats(void **state)
{
    (void)state;
    limn_rng rng = limn_rng_stream(1, "codes", 5);
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        t.job.activation = LIMN_ACT_NONE;
        if (seed % 4 >= 2) go_to_limits(&t, &rng);
        if (seed % 4 == 3) go_to_extremes(&t, &rng);
        t.job.activation = LIMN_ACT_RELU6;
        check_codes(&t);
        free_case(&t);
    }
}

static void test_every_level_gives_the_bits_of_c(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        float *expected = run(&t, LIMN_CPU_C);
        for (int level = LIMN_CPU_C + 1; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            float *y = run(&t, (limn_cpu_level)level);
            if (memcmp(y, expected, t.y_size * sizeof *y) != 0)
                fail_msg("%s differs from c in case %d: size %zu, stride %zu, %zu columns, "
                         "%zu channels",
                         limn_cpu_level_name((limn_cpu_level)level), (int)seed, t.job.size,
                         t.job.stride, t.job.n_columns, t.job.n_channels);
            free(y);
        }
        free(expected);
        free_case(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c_computes_what_the_header_says),
        cmocka_unit_test(test_every_level_gives_the_bits_of_c),
        cmocka_unit_test(test_codes_are_what_follows_from_the_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Convolution and max-pooling: the C level against the sums of the headers written out over a plain
 * map, every other level, and several threads, against C with memcmp. */
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/convolution.h"

enum { N_CASES = 150, MAX_SIZE = 7 };

typedef struct test_case {
    limn_convolution shape;
    limn_packed w;
    limn_activation activation;
    float *x, *weights, *bias, *residual;
    size_t y_size;
} test_case;

static test_case make_case(uint64_t seed)
{
    static const limn_activation activations[] = { LIMN_ACT_NONE, LIMN_ACT_RELU, LIMN_ACT_RELU6,
                                                   LIMN_ACT_RELU_OF_SUM };
    limn_rng rng = limn_rng_stream(seed, "convolution", 11);
    test_case t = { 0 };
    limn_convolution *c = &t.shape;
    c->kernel = 1 + random_below(&rng, MAX_SIZE);
    c->stride = 1 + random_below(&rng, 4);
    c->n_before = random_below(&rng, c->kernel);
    c->width = c->kernel + random_below(&rng, 20);
    c->height = c->kernel + random_below(&rng, 20);
    c->n_inputs = 1 + random_below(&rng, 9);
    c->n_outputs = 1 + random_below(&rng, 40);
    limn_convolution_plan(c);
    if (c->strip_rows > 0) c->strip_rows = 1 + random_below(&rng, c->output_height);
    t.activation = activations[random_below(&rng, 4)];
    t.y_size = c->output_width * c->output_height * c->n_outputs;
    t.x = random_floats(&rng, c->width * c->height * c->n_inputs);
    t.weights = random_floats(&rng, c->n_outputs * c->kernel * c->kernel * c->n_inputs);
    t.bias = random_floats(&rng, c->n_outputs);
    if (random_below(&rng, 2) || t.activation == LIMN_ACT_RELU_OF_SUM)
        t.residual = random_floats(&rng, t.y_size);
    assert_int_equal(limn_packed_init(&t.w, t.weights, LIMN_F32, t.bias, c->n_outputs,
                                      c->kernel * c->kernel * c->n_inputs, LIMN_F32, NULL),
                     LIMN_OK);
    return t;
}

static void free_case(test_case *t)
{
    limn_packed_finish(&t->w);
    free(t->x);
    free(t->weights);
    free(t->bias);
    free(t->residual);
}

static float *run(const test_case *t, limn_cpu_level level, limn_pool *pool)
{
    limn_kernels k;
    float *y = canaries(t->y_size + 8),
          *patches = canaries(limn_convolution_patch_floats(&t->shape));
    limn_kernels_init(&k, level);
    limn_convolution_run(&k, pool,
                         &(limn_convolution_job){ .shape = &t->shape,
                                                  .y = y,
                                                  .x = t->x,
                                                  .residual = t->residual,
                                                  .w = &t->w,
                                                  .activation = t->activation,
                                                  .patches = patches });
    free(patches);
    return y;
}

static float value_at(const test_case *t, size_t y, size_t x, size_t channel)
{
    const limn_convolution *c = &t->shape;
    if (y < c->n_before || x < c->n_before || y - c->n_before >= c->height ||
        x - c->n_before >= c->width)
        return 0.0f;
    return t->x[((y - c->n_before) * c->width + x - c->n_before) * c->n_inputs + channel];
}

static float expected_value(const test_case *t, size_t row, size_t column, size_t output)
{
    const limn_convolution *c = &t->shape;
    const float *w = t->weights + output * c->kernel * c->kernel * c->n_inputs;
    const size_t at = (row * c->output_width + column) * c->n_outputs + output;
    float total = 0.0f, acc = t->bias[output];
    for (size_t k = 0; k < c->kernel * c->kernel * c->n_inputs; k++) {
        const size_t i = k % c->n_inputs, kx = k / c->n_inputs % c->kernel;
        const size_t ky = k / c->n_inputs / c->kernel;
        if (k > 0 && k % LIMN_SUM_BLOCK == 0) {
            total += acc;
            acc = 0.0f;
        }
        acc = fmaf(value_at(t, row * c->stride + ky, column * c->stride + kx, i), w[k], acc);
    }
    acc += total;
    if (t->activation == LIMN_ACT_RELU || t->activation == LIMN_ACT_RELU6) acc = fmaxf(acc, 0.0f);
    if (t->activation == LIMN_ACT_RELU6) acc = fminf(acc, 6.0f);
    if (t->residual) acc += t->residual[at];
    return t->activation == LIMN_ACT_RELU_OF_SUM ? fmaxf(acc, 0.0f) : acc;
}

static void test_c_computes_what_the_header_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        const limn_convolution *c = &t.shape;
        float *y = run(&t, LIMN_CPU_C, NULL), *end = canaries(8);
        for (size_t i = 0; i < t.y_size; i++) {
            const size_t position = i / c->n_outputs;
            const float expected = expected_value(&t, position / c->output_width,
                                                  position % c->output_width, i % c->n_outputs);
            assert_true(y[i] == expected);
        }
        assert_memory_equal(y + t.y_size, end, 8 * sizeof *end);
        free(end);
        free(y);
        free_case(&t);
    }
}

static void test_every_level_and_any_threads_give_the_bits_of_c(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        limn_pool *pool;
        assert_int_equal(limn_pool_create(&pool, 1 + seed % 5, NULL), LIMN_OK);
        float *expected = run(&t, LIMN_CPU_C, NULL);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            float *y = run(&t, (limn_cpu_level)level, pool);
            if (memcmp(y, expected, t.y_size * sizeof *y) != 0)
                fail_msg("%s differs from c in case %d", limn_cpu_level_name((limn_cpu_level)level),
                         (int)seed);
            free(y);
        }
        free(expected);
        limn_pool_destroy(&pool);
        free_case(&t);
    }
}

static void test_sizes_are_those_of_pytorch(void **state)
{
    (void)state;
    limn_convolution stem = { .width = 224,
                              .height = 97,
                              .n_inputs = 3,
                              .n_outputs = 64,
                              .kernel = 7,
                              .stride = 2,
                              .n_before = 3 };
    limn_convolution_plan(&stem);
    assert_true(stem.output_width == 112 && stem.output_height == 49 && stem.strip_rows > 0);
    limn_convolution point = {
        .width = 5, .height = 6, .n_inputs = 2, .n_outputs = 3, .kernel = 1, .stride = 1
    };
    limn_convolution_plan(&point);
    assert_true(point.output_width == 5 && point.output_height == 6);
    assert_int_equal(limn_convolution_patch_floats(&point), 0);
}

/* ---- max-pooling ---- */

typedef struct pool_case {
    limn_max_pool_job job; /* all but y */
    const float *rows[MAX_SIZE];
    float *x;
    size_t y_size;
} pool_case;

static void make_pool_case(pool_case *t, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "max_pool", 8);
    const size_t size = 1 + random_below(&rng, 4), stride = 1 + random_below(&rng, 3);
    const size_t width = size + random_below(&rng, 12), n_channels = random_below(&rng, 50);
    const size_t n_before = random_below(&rng, (size + 1) / 2);
    const size_t kept = random_below(&rng, size); /* a row inside the map */
    t->x = random_floats(&rng, size * width * n_channels);
    t->job = (limn_max_pool_job){
        .rows = t->rows,
        .n_columns = (width + 2 * n_before - size) / stride + 1,
        .n_channels = n_channels,
        .size = size,
        .stride = stride,
        .width = width,
        .n_before = n_before,
    };
    for (size_t ky = 0; ky < size; ky++)
        t->rows[ky] = ky == kept || random_below(&rng, 4) ? t->x + ky * width * n_channels : NULL;
    t->y_size = t->job.n_columns * n_channels;
}

static float *run_pool(const pool_case *t, limn_cpu_level level)
{
    limn_kernels k;
    limn_max_pool_job job = t->job;
    limn_kernels_init(&k, level);
    job.y = canaries(t->y_size + 8);
    k.max_pool(&job);
    return job.y;
}

static float expected_max(const pool_case *t, size_t column, size_t channel)
{
    const limn_max_pool_job *job = &t->job;
    float max = -INFINITY;
    for (size_t i = 0; i < job->size * job->size; i++) {
        const float *row = t->rows[i / job->size];
        const size_t at = column * job->stride + i % job->size - job->n_before; /* below 0 wraps */
        if (row && at < job->width) max = fmaxf(max, row[at * job->n_channels + channel]);
    }
    return max;
}

static void test_max_pool(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        pool_case t;
        make_pool_case(&t, seed);
        float *expected = run_pool(&t, LIMN_CPU_C), *end = canaries(8);
        for (size_t i = 0; i < t.y_size; i++)
            assert_true(expected[i] ==
                        expected_max(&t, i / t.job.n_channels, i % t.job.n_channels));
        assert_memory_equal(expected + t.y_size, end, 8 * sizeof *end);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            float *y = run_pool(&t, (limn_cpu_level)level);
            assert_memory_equal(y, expected, (t.y_size + 8) * sizeof *y);
            free(y);
        }
        free(end);
        free(expected);
        free(t.x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c_computes_what_the_header_says),
        cmocka_unit_test(test_every_level_and_any_threads_give_the_bits_of_c),
        cmocka_unit_test(test_sizes_are_those_of_pytorch),
        cmocka_unit_test(test_max_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

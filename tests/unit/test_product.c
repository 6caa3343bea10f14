/* Products and norms of many rows: compared with limn_linear and the layer norm over all rows at
 * once, with memcmp, at every level, for any number of threads, with and without room for widened
 * weights. */
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/product.h"

enum { N_CASES = 60, MAX_THREADS = 7, N_CANARIES = 8 };

typedef struct test_case {
    size_t n_rows, n_inputs, n_outputs, y_size;
    limn_packed w;
    float *x, *weights, *bias, *residual;
    uint16_t *halves;
    size_t *y_rows; /* NULL in half of the cases */
    limn_activation activation;
} test_case;

static void pack_case(test_case *t, limn_dtype dtype)
{
    const size_t n = t->n_outputs * t->n_inputs;
    t->halves = malloc(n * sizeof *t->halves);
    assert_non_null(t->halves);
    for (size_t i = 0; i < n; i++) t->halves[i] = limn_f32_to_f16(t->weights[i]);
    for (size_t i = 0; i < n; i++) t->weights[i] = limn_f16_to_f32(t->halves[i]);
    const void *from = dtype == LIMN_F16 ? (const void *)t->halves : t->weights;
    assert_int_equal(
        limn_packed_init(&t->w, from, dtype, t->bias, t->n_outputs, t->n_inputs, dtype, NULL),
        LIMN_OK);
}

/* Puts the rows in another order. */
static void shuffle_rows(test_case *t)
{
    t->y_rows = malloc(t->n_rows * sizeof *t->y_rows);
    assert_non_null(t->y_rows);
    for (size_t r = 0; r < t->n_rows; r++) t->y_rows[r] = (t->n_rows - 1 - r) * t->n_outputs;
}

static test_case make_case(uint64_t seed, limn_dtype dtype)
{
    static const limn_activation activations[] = { LIMN_ACT_NONE, LIMN_ACT_GELU,
                                                   LIMN_ACT_QUICK_GELU, LIMN_ACT_RELU };
    limn_rng rng = limn_rng_stream(seed, "product", 7);
    test_case t = { 0 };
    t.n_rows = random_below(&rng, 2) ? 1 + random_below(&rng, 31) : 32 + random_below(&rng, 80);
    t.n_inputs = 1 + random_below(&rng, 50);
    t.n_outputs = 1 + random_below(&rng, random_below(&rng, 4) ? 200 : 900);
    t.y_size = t.n_rows * t.n_outputs;
    t.x = random_floats(&rng, t.n_rows * t.n_inputs);
    t.weights = random_floats(&rng, t.n_outputs * t.n_inputs);
    if (random_below(&rng, 2)) t.bias = random_floats(&rng, t.n_outputs);
    if (random_below(&rng, 2)) t.residual = random_floats(&rng, t.y_size);
    t.activation = activations[random_below(&rng, 4)];
    if (random_below(&rng, 2)) shuffle_rows(&t);
    pack_case(&t, dtype);
    return t;
}

static void free_case(test_case *t)
{
    limn_packed_finish(&t->w);
    free(t->x);
    free(t->weights);
    free(t->halves);
    free(t->bias);
    free(t->residual);
    free(t->y_rows);
}

static limn_linear_job job_of(const test_case *t, float *y)
{
    limn_linear_job job = limn_dense_job(y, t->x, t->n_rows, &t->w);
    job.residual = t->residual;
    job.y_rows = t->y_rows;
    job.activation = t->activation;
    return job;
}

/* The result of one call of the level C kernel. */
static float *expected_of(const test_case *t)
{
    limn_kernels c;
    float *y = canaries(t->y_size + N_CANARIES);
    limn_linear_job job = job_of(t, y);
    limn_kernels_init(&c, LIMN_CPU_C);
    job.panel_end = limn_n_panels(t->n_outputs);
    limn_linear(&c, &job);
    return y;
}

static void check_runner(const test_case *t, const limn_runner *r, const float *expected)
{
    float *y = canaries(t->y_size + N_CANARIES);
    limn_product(r, job_of(t, y));
    assert_memory_equal(y, expected, (t->y_size + N_CANARIES) * sizeof *y);
    free(y);
}

/* With no room to widen weights, with room for one panel, and with enough room. */
static void check_rooms(const test_case *t, limn_pool *pool, const limn_kernels *k,
                        const float *expected)
{
    const size_t rooms[] = { 0, t->n_inputs * LIMN_PANEL,
                             limn_widened_floats(t->n_outputs, t->n_inputs) };
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        void *room = aligned_alloc(64, (rooms[i] + 16) * sizeof(float) / 64 * 64);
        const limn_runner r = { k, pool, rooms[i] ? room : NULL, rooms[i] };
        assert_non_null(room);
        check_runner(t, &r, expected);
        free(room);
    }
}

static void check_all(uint64_t seed, limn_dtype dtype, limn_pool *const *pools)
{
    test_case t = make_case(seed, dtype);
    float *expected = expected_of(&t);
    for (int level = 0; level < LIMN_N_CPU_LEVELS; level++) {
        limn_kernels k;
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        limn_kernels_init(&k, (limn_cpu_level)level);
        for (size_t i = 0; i <= MAX_THREADS; i += i ? 2 : 1)
            check_rooms(&t, pools[i], &k, expected);
    }
    free(expected);
    free_case(&t);
}

static void open_pools(limn_pool **pools)
{
    pools[0] = NULL;
    for (size_t i = 1; i <= MAX_THREADS; i++)
        assert_int_equal(limn_pool_create(&pools[i], i, NULL), LIMN_OK);
}

static void close_pools(limn_pool **pools)
{
    for (size_t i = 1; i <= MAX_THREADS; i++) limn_pool_destroy(&pools[i]);
}

static void test_products_are_those_of_one_call(void **state)
{
    limn_pool *pools[MAX_THREADS + 1];
    (void)state;
    open_pools(pools);
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        check_all(seed, LIMN_F32, pools);
        check_all(seed, LIMN_F16, pools);
    }
    close_pools(pools);
}

/* Of an output's n products, as kernels.h says. */
static float sum_in_blocks(const float *x, const float *w, size_t n, size_t block)
{
    float total = 0.0f, acc = 0.0f;
    for (size_t k = 0; k < n; k++) {
        if (k > 0 && k % block == 0) {
            total += acc;
            acc = 0.0f;
        }
        acc = fmaf(x[k], w[k], acc);
    }
    return total + acc;
}

static void test_long_sums_are_in_blocks(void **state)
{
    static const size_t sizes[] = { LIMN_LONG_SUM - 1, LIMN_LONG_SUM, LIMN_LONG_SUM + 67 };
    limn_rng rng = limn_rng_stream(1, "long sums", 9);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i], block = n < LIMN_LONG_SUM ? n : LIMN_SUM_BLOCK;
        float *x = random_floats(&rng, 9 * n), *weights = random_floats(&rng, n), y[9];
        limn_kernels k;
        limn_packed w;
        limn_kernels_init(&k, limn_cpu_best());
        assert_int_equal(limn_packed_init(&w, weights, LIMN_F32, NULL, 1, n, LIMN_F32, NULL), 0);
        limn_product(&(limn_runner){ .kernels = &k }, limn_dense_job(y, x, 9, &w));
        for (size_t r = 0; r < 9; r++)
            assert_true(y[r] == sum_in_blocks(x + r * n, weights, n, block));
        limn_packed_finish(&w);
        free(x);
        free(weights);
    }
}

static void test_norms_are_those_of_one_call(void **state)
{
    static const size_t sizes[][2] = { { 1, 16 }, { 31, 24 }, { 32, 7 }, { 65, 96 } };
    limn_pool *pools[MAX_THREADS + 1];
    limn_rng rng = limn_rng_stream(1, "norms", 5);
    (void)state;
    open_pools(pools);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n_rows = sizes[i][0], dim = sizes[i][1], n = n_rows * dim;
        float *x = random_floats(&rng, n), *gamma = random_floats(&rng, dim);
        float *beta = random_floats(&rng, dim), *expected = canaries(n), *y = canaries(n);
        limn_kernels k;
        limn_kernels_init(&k, limn_cpu_best());
        k.layer_norm(expected, x, gamma, beta, 1e-5f, n_rows, dim);
        const limn_runner r = { .kernels = &k, .pool = pools[3] };
        limn_norm_rows(&r, y, x, gamma, beta, 1e-5f, n_rows, dim);
        assert_memory_equal(y, expected, n * sizeof *y);
        limn_norm_rows(&r, x, x, gamma, beta, 1e-5f, n_rows, dim);
        assert_memory_equal(x, expected, n * sizeof *y);
        free(x);
        free(gamma);
        free(beta);
        free(expected);
        free(y);
    }
    close_pools(pools);
}

static void test_halves_are_widened_exactly(void **state)
{
    uint16_t *in = malloc(65536 * sizeof *in);
    float *expected = malloc(65536 * sizeof *expected), *out = malloc(65536 * sizeof *out);
    (void)state;
    assert_true(in && expected && out);
    size_t n = 0;
    for (uint32_t h = 0; h < 65536; h++)
        if ((h & 0x7c00) != 0x7c00 || (h & 0x3ff) == 0) in[n++] = (uint16_t)h; /* all but NaN */
    for (size_t i = 0; i < n; i++) expected[i] = limn_f16_to_f32(in[i]);
    for (int level = 0; level < LIMN_N_CPU_LEVELS; level++) {
        limn_kernels k;
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        limn_kernels_init(&k, (limn_cpu_level)level);
        k.widen(out, in, n);
        assert_memory_equal(out, expected, n * sizeof *out);
        k.widen(out, in + 1, 13); /* not a whole number of vectors */
        assert_memory_equal(out, expected + 1, 13 * sizeof *out);
        assert_memory_equal(out + 13, expected + 13, sizeof *out);
    }
    free(in);
    free(expected);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_those_of_one_call),
        cmocka_unit_test(test_long_sums_are_in_blocks),
        cmocka_unit_test(test_norms_are_those_of_one_call),
        cmocka_unit_test(test_halves_are_widened_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

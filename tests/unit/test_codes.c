/* Products of codes (codes.h): the C level against sums written out here, every other level against
 * C with memcmp, over random shapes, and at the extremes of codes and weights; and the conversion
 * of rows to codes. */
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/codes.h"

enum { N_CASES = 400 };

typedef struct test_case {
    limn_codes_job job; /* all but x and y, which are made for each level */
    limn_packed w;
    uint8_t *codes; /* [n_rows, x_stride] */
    float *weights, *bias, *residual, *steps;
    size_t *y_rows;
    size_t y_size;
} test_case;

static uint8_t *random_codes(limn_rng *rng, size_t n)
{
    uint8_t *codes = malloc(n + 1);
    for (size_t i = 0; i < n; i++) codes[i] = (uint8_t)(1 + random_below(rng, 255));
    return codes;
}

static test_case make_case(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "codes", 5);
    test_case t = { 0 };
    const size_t n_outputs = random_below(&rng, 90), n_inputs = 1 + random_below(&rng, 150);
    const size_t n_rows = random_below(&rng, 40), n_panels = limn_n_panels(n_outputs);
    const limn_dtype dtype = random_below(&rng, 2) ? LIMN_I8 : LIMN_I8_PAIRS;
    t.weights = random_floats(&rng, n_outputs * n_inputs);
    t.bias = random_below(&rng, 4) ? random_floats(&rng, n_outputs) : NULL;
    assert_int_equal(
        limn_packed_init(&t.w, t.weights, LIMN_F32, t.bias, n_outputs, n_inputs, dtype, NULL),
        LIMN_OK);
    t.job.product = (limn_linear_job){
        .n_rows = n_rows,
        .x_stride = LIMN_CODES_PADDED(n_inputs) + random_below(&rng, 9),
        .y_stride = n_outputs + random_below(&rng, 9),
        .panel_begin = random_below(&rng, 2) ? 0 : random_below(&rng, n_panels + 1),
        .panel_end = n_panels,
        .activation = random_below(&rng, 2) ? LIMN_ACT_NONE : LIMN_ACT_RELU6,
    };
    t.job.zero = random_below(&rng, 2) ? LIMN_CODES_ZERO_OF_ROW : LIMN_CODES_ZERO_OF_RELU6;
    t.job.step = 0.02f;
    t.steps = random_below(&rng, 2) ? random_floats(&rng, n_rows) : NULL;
    t.codes = random_codes(&rng, n_rows * t.job.product.x_stride);
    t.y_size = n_rows * t.job.product.y_stride + 8;
    if (random_below(&rng, 2)) t.residual = random_floats(&rng, t.y_size);
    if (random_below(&rng, 2)) t.y_rows = malloc((n_rows + 1) * sizeof *t.y_rows);
    for (size_t r = 0; t.y_rows && r < n_rows; r++)
        t.y_rows[r] = (n_rows - 1 - r) * t.job.product.y_stride;
    return t;
}

static void free_case(test_case *t)
{
    limn_packed_finish(&t->w);
    free(t->codes);
    free(t->weights);
    free(t->bias);
    free(t->residual);
    free(t->steps);
    free(t->y_rows);
}

/* Codes in the layout of a level; the caller frees. */
static void *codes_of(const limn_kernels *k, const uint8_t *codes, size_t n)
{
    unsigned char *out = malloc((n + 1) * k->code_size);
    for (size_t i = 0; i < n; i++) {
        const uint16_t word = codes[i];
        memcpy(out + i * k->code_size, k->code_size == 2 ? (const void *)&word : &codes[i],
               k->code_size);
    }
    return out;
}

static float *run(const test_case *t, limn_cpu_level level)
{
    limn_kernels k;
    limn_kernels_init(&k, level);
    float *y = canaries(t->y_size);
    limn_codes_job job = t->job;
    void *x = codes_of(&k, t->codes, t->job.product.n_rows * t->job.product.x_stride);
    job.x = x;
    job.steps = t->steps;
    job.product.y = y;
    job.product.residual = t->residual;
    job.product.y_rows = t->y_rows;
    job.product.w = &t->w;
    k.linear_codes(&job);
    free(x);
    return y;
}

static void check_levels(const test_case *t, const float *expected, size_t number)
{
    for (int level = LIMN_CPU_C + 1; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        float *y = run(t, (limn_cpu_level)level);
        if (memcmp(y, expected, t->y_size * sizeof *y) != 0)
            fail_msg("%s differs from c in case %zu: %zu rows, %zu inputs, %zu outputs, type %d",
                     limn_cpu_level_name((limn_cpu_level)level), number, t->job.product.n_rows,
                     t->w.n_inputs, t->w.n_outputs, (int)t->w.dtype);
        free(y);
    }
}

static void test_every_level_gives_the_bits_of_c(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        float *expected = run(&t, LIMN_CPU_C);
        check_levels(&t, expected, seed);
        free(expected);
        free_case(&t);
    }
}

/* Weights quantized by the rule, as integers; returns their scale. */
static double quantized(double *q, const test_case *t, size_t output)
{
    const size_t n = t->w.n_inputs;
    const float *w = t->weights + output * n, top = t->w.dtype == LIMN_I8 ? 127.0f : 8128.0f;
    float m = 0.0f;
    for (size_t k = 0; k < n; k++) m = fmaxf(m, fabsf(w[k]));
    for (size_t k = 0; k < n; k++) q[k] = m > 0 ? (double)rintf(w[k] * (top / m)) : 0.0;
    return (double)(m / top);
}

static double expected_output(const test_case *t, size_t row, size_t output)
{
    const limn_linear_job *job = &t->job.product;
    const size_t at = (t->y_rows ? t->y_rows[row] : row * job->y_stride) + output;
    double q[160], sum = 0, scale = quantized(q, t, output);
    for (size_t k = 0; k < t->w.n_inputs; k++)
        sum += q[k] * (t->codes[row * job->x_stride + k] - t->job.zero);
    const double step = (double)(t->steps ? t->steps[row] : t->job.step);
    double v = sum * step * scale + (t->bias ? (double)t->bias[output] : 0.0);
    if (job->activation == LIMN_ACT_RELU6) v = fmin(fmax(v, 0.0), 6.0);
    return v + (t->residual ? (double)t->residual[at] : 0.0);
}

static void test_c_computes_what_the_header_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES / 4; seed++) {
        test_case t = make_case(seed);
        const limn_linear_job *job = &t.job.product;
        float *y = run(&t, LIMN_CPU_C);
        for (size_t r = 0; r < job->n_rows; r++)
            for (size_t o = job->panel_begin * LIMN_PANEL; o < t.w.n_outputs; o++) {
                const size_t at = (t.y_rows ? t.y_rows[r] : r * job->y_stride) + o;
                const double expected = expected_output(&t, r, o);
                assert_true(fabs((double)y[at] - expected) <= 2e-6 * (fabs(expected) + 100));
            }
        free(y);
        free_case(&t);
    }
}

/* All codes and all weights at one extreme, with the largest number of inputs allowed. */
static void check_extremes(limn_dtype dtype, uint8_t code, float weight, int32_t zero)
{
    const size_t n = dtype == LIMN_I8 ? LIMN_CODES_MAX_INPUTS : LIMN_CODES_MAX_PAIR_INPUTS;
    test_case t = { .y_size = 9 * 20 };
    t.weights = malloc(20 * n * sizeof *t.weights);
    t.codes = malloc(9 * n);
    memset(t.codes, code, 9 * n);
    for (size_t i = 0; i < 20 * n; i++) t.weights[i] = i < n ? weight * 100 : weight;
    assert_int_equal(limn_packed_init(&t.w, t.weights, LIMN_F32, NULL, 20, n, dtype, NULL),
                     LIMN_OK);
    t.job =
        (limn_codes_job){ .product = { .n_rows = 9, .x_stride = n, .y_stride = 20, .panel_end = 2 },
                          .step = 1.0f,
                          .zero = zero };
    float *expected = run(&t, LIMN_CPU_C);
    const double sum = (double)n * (code - zero) * (double)weight;
    assert_true(fabs((double)expected[19] - sum) <= 1e-6 * fabs(sum));
    assert_true(fabs((double)expected[0] - 100 * sum) <= 1e-4 * fabs(sum));
    check_levels(&t, expected, code);
    free(expected);
    free_case(&t);
}

static void test_extremes_neither_saturate_nor_overflow(void **state)
{
    (void)state;
    for (int i = 0; i < 32; i++)
        check_extremes(i & 1 ? LIMN_I8 : LIMN_I8_PAIRS, i & 2 ? 255 : 1,
                       i & 4   ? -1.0f
                       : i & 8 ? 0.0f
                               : 1.0f,
                       i & 16 ? 1 : 128);
}

/* Rows whose largest value is of a different kind each time. */
static void fill_row(limn_rng *rng, float *x, size_t n, uint64_t kind)
{
    static const float values[] = { 0.0f, 1e-31f, 1e-29f, 3e38f, INFINITY, -INFINITY, NAN, 250.0f };
    for (size_t k = 0; k < n; k++) x[k] = (float)(limn_rng_uniform(rng) * 4.0 - 2.0);
    if (kind % 9 == 8) return;
    if (kind % 9 < 4) memset(x, 0, n * sizeof *x);
    x[random_below(rng, n)] = values[kind % 9];
}

/* Rows in memory, with gaps, and what the C level makes of them. */
typedef struct row_case {
    size_t n_rows, n, stride, n_codes; /* codes: of all rows */
    float x[40 * 80], steps[40];
    uint8_t codes[40 * 72 + 1];
} row_case;

static void make_rows(row_case *t, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "row", 3);
    limn_kernels k;
    t->n_rows = random_below(&rng, 41);
    t->n = 1 + random_below(&rng, 70);
    t->stride = t->n + random_below(&rng, 10);
    t->n_codes = t->n_rows * LIMN_CODES_PADDED(t->n);
    for (size_t r = 0; r < t->n_rows; r++)
        fill_row(&rng, t->x + r * t->stride, t->n, random_below(&rng, 9));
    limn_kernels_init(&k, LIMN_CPU_C);
    k.encode_rows(t->codes, t->steps, t->x, t->n_rows, t->stride, t->n);
}

static void check_rows_of_c(const row_case *t)
{
    for (size_t r = 0; r < t->n_rows; r++) {
        const float step = t->steps[r];
        for (size_t i = 0; i < t->n && isfinite(step); i++) {
            const int code = t->codes[r * LIMN_CODES_PADDED(t->n) + i];
            assert_true(fabsf((float)(code - 128) * step - t->x[r * t->stride + i]) <=
                        step * 0.501f + 1e-30f);
        }
    }
}

static void check_rows_of_level(const row_case *t, limn_cpu_level level)
{
    uint8_t got[2 * sizeof t->codes];
    float steps[41] = { 0 };
    limn_kernels k;
    limn_kernels_init(&k, level);
    memset(got, 0xca, sizeof got);
    k.encode_rows(got, steps, t->x, t->n_rows, t->stride, t->n);
    void *wanted = codes_of(&k, t->codes, t->n_codes);
    assert_memory_equal(got, wanted, t->n_codes * k.code_size);
    assert_int_equal(got[t->n_codes * k.code_size], 0xca);
    for (size_t r = 0; r < t->n_rows; r++)
        assert_true(steps[r] == t->steps[r] || (isnan(steps[r]) && isnan(t->steps[r])));
    assert_true(steps[t->n_rows] == 0.0f);
    free(wanted);
}

static void test_rows_become_the_same_codes_at_every_level(void **state)
{
    static row_case t;
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        make_rows(&t, seed);
        check_rows_of_c(&t);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++)
            if (limn_cpu_level_runs((limn_cpu_level)level))
                check_rows_of_level(&t, (limn_cpu_level)level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_level_gives_the_bits_of_c),
        cmocka_unit_test(test_c_computes_what_the_header_says),
        cmocka_unit_test(test_extremes_neither_saturate_nor_overflow),
        cmocka_unit_test(test_rows_become_the_same_codes_at_every_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

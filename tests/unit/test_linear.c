/* limn_kernels.linear: the C level against sums written out here, every other level against C with
 * memcmp, over random shapes, strides, row offsets, storage types and activations; and that which
 * rows and panels are computed together changes no bit. */
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/int8.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "common/kernels/product.h"

enum { N_CASES = 600 };

typedef struct test_case {
    limn_linear_job job; /* all but y, which is made for each level */
    limn_packed w;
    float *x, *weights, *bias, *residual;
    size_t *y_rows;
    size_t y_size;    /* in floats, including those between and around the rows */
    bool is_in_place; /* y is the residual */
} test_case;

/* Rounds to n_bits. */
static void shorten(float *x, size_t n, int n_bits)
{
    for (size_t i = 0; i < n; i++) {
        int exponent;
        const float fraction = frexpf(x[i], &exponent);
        x[i] = ldexpf(rintf(ldexpf(fraction, n_bits)), exponent - n_bits);
    }
}

static void make_weights(test_case *t, limn_rng *rng, size_t n_outputs, size_t n_inputs, int n_bits)
{
    const limn_dtype dtype = (limn_dtype)random_below(rng, LIMN_I8_PAIRS);
    t->weights = random_floats(rng, n_outputs * n_inputs);
    shorten(t->weights, n_outputs * n_inputs, n_bits);
    t->bias = random_below(rng, 4) ? random_floats(rng, n_outputs) : NULL;
    assert_int_equal(
        limn_packed_init(&t->w, t->weights, LIMN_F32, t->bias, n_outputs, n_inputs, dtype, NULL),
        LIMN_OK);
}

/* Rows of y in a random order, with gaps. */
static void scatter_rows(test_case *t, limn_rng *rng)
{
    const size_t n_rows = t->job.n_rows;
    t->y_rows = malloc((n_rows + 1) * sizeof *t->y_rows);
    for (size_t r = 0; r < n_rows; r++) {
        const size_t other = random_below(rng, r + 1);
        t->y_rows[r] = t->y_rows[other];
        t->y_rows[other] = r * t->job.y_stride;
    }
    t->job.y_rows = t->y_rows;
    t->job.y_stride = SIZE_MAX; /* must not be read */
}

static test_case make_case(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "linear", 6);
    test_case t = { 0 };
    const size_t n_outputs = random_below(&rng, 160), n_inputs = random_below(&rng, 70);
    const size_t n_rows = random_below(&rng, random_below(&rng, 3) ? 21 : 70);
    /* products of some 24 bits, which are exact as floats or not quite, or of 48 */
    const int n_bits = random_below(&rng, 2) ? 24 : 1 + (int)random_below(&rng, 22);
    make_weights(&t, &rng, n_outputs, n_inputs, n_bits);
    const size_t n_panels = limn_n_panels(n_outputs);
    const size_t begin = random_below(&rng, n_panels + 1);
    const size_t y_stride = n_outputs + random_below(&rng, 9);
    t.job = (limn_linear_job){
        .n_rows = n_rows,
        .x_stride = n_inputs + random_below(&rng, 5),
        .y_stride = y_stride,
        .panel_begin = random_below(&rng, 2) ? begin : 0,
        .panel_end = begin + random_below(&rng, n_panels - begin + 1),
        .activation = (limn_activation)random_below(&rng, LIMN_N_ACTIVATIONS),
        .block = random_below(&rng, 2) ? 1 + random_below(&rng, 40) : 0,
    };
    t.y_size = n_rows * y_stride + 8;
    t.x = random_floats(&rng, n_rows * t.job.x_stride);
    if (n_bits < 24)
        shorten(t.x, n_rows * t.job.x_stride, 22 - n_bits + 1 + (int)random_below(&rng, 3));
    if (random_below(&rng, 2) || t.job.activation == LIMN_ACT_RELU_OF_SUM)
        t.residual = random_floats(&rng, t.y_size);
    t.is_in_place = t.residual && random_below(&rng, 2);
    if (random_below(&rng, 2)) scatter_rows(&t, &rng);
    t.job.x = t.x;
    return t;
}

/* Few rows of weights that fit no cache, or that just fit: 4 panels at a time, and what is left of
 * them. */
static test_case make_large_case(size_t n_rows, size_t n_panels, bool is_cached)
{
    /* a copy of what linear_avx512.c keeps to itself: both must change together */
    enum { CACHED_BYTES = 1 << 18 };
    const size_t n_inputs = CACHED_BYTES / (n_panels * LIMN_PANEL * sizeof(float)) + !is_cached;
    const size_t n_outputs = n_panels * LIMN_PANEL;
    limn_rng rng = limn_rng_stream(n_rows, "large", 5);
    test_case t = { 0 };
    t.weights = random_floats(&rng, n_outputs * n_inputs);
    assert_int_equal(
        limn_packed_init(&t.w, t.weights, LIMN_F32, NULL, n_outputs, n_inputs, LIMN_F32, NULL),
        LIMN_OK);
    t.x = random_floats(&rng, n_rows * n_inputs);
    t.y_size = n_rows * n_outputs;
    t.job = (limn_linear_job){ .x = t.x,
                               .n_rows = n_rows,
                               .x_stride = n_inputs,
                               .y_stride = n_outputs,
                               .panel_end = n_panels };
    return t;
}

static void free_case(test_case *t)
{
    limn_packed_finish(&t->w);
    free(t->x);
    free(t->weights);
    free(t->bias);
    free(t->residual);
    free(t->y_rows);
}

/* All of y, including the canaries, as `level` leaves it; the caller frees. */
static float *run(const test_case *t, limn_cpu_level level, size_t panel_begin, size_t panel_end)
{
    limn_kernels k;
    limn_kernels_init(&k, level);
    float *y = canaries(t->y_size);
    limn_linear_job job = t->job;
    if (t->is_in_place) memcpy(y, t->residual, t->y_size * sizeof *y);
    job.y = y;
    job.residual = t->is_in_place ? y : t->residual;
    job.w = &t->w;
    job.panel_begin = panel_begin;
    job.panel_end = panel_end;
    limn_linear(&k, &job);
    return y;
}

static void check_levels(const test_case *t, int number)
{
    float *expected = run(t, LIMN_CPU_C, t->job.panel_begin, t->job.panel_end);
    for (int level = LIMN_CPU_C + 1; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        float *y = run(t, (limn_cpu_level)level, t->job.panel_begin, t->job.panel_end);
        if (memcmp(y, expected, t->y_size * sizeof *y) != 0)
            fail_msg("%s differs from c in case %d: %zu rows, %zu inputs, %zu outputs",
                     limn_cpu_level_name((limn_cpu_level)level), number, t->job.n_rows,
                     t->w.n_inputs, t->w.n_outputs);
        free(y);
    }
    free(expected);
}

static void test_every_level_gives_the_bits_of_c(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        check_levels(&t, (int)seed);
        free_case(&t);
    }
}

static void test_few_rows_of_many_weights(void **state)
{
    (void)state;
    for (size_t n_rows = 1; n_rows <= 6; n_rows++)
        for (int is_cached = 0; is_cached < 2; is_cached++) {
            test_case t = make_large_case(n_rows, 3 + n_rows, is_cached);
            check_levels(&t, (int)n_rows);
            free_case(&t);
        }
}

/* n values by the rule of int8.h; returns their scale. */
static float quantized(double *q, const float *x, size_t n)
{
    float m = 0.0f;
    for (size_t k = 0; k < n; k++) m = fmaxf(m, fabsf(x[k]));
    for (size_t k = 0; k < n; k++) q[k] = m > 0 ? (double)rintf(x[k] * (127 / m)) : 0;
    return m / 127;
}

static float expected_int8_sum(const test_case *t, size_t row, size_t output)
{
    const size_t n = t->w.n_inputs;
    double w[80], x[LIMN_INT8_BLOCK];
    const float scale = quantized(w, t->weights + output * n, n);
    float acc = 0.0f;
    for (size_t first = 0; first < n; first += LIMN_INT8_BLOCK) {
        const size_t size = n - first < LIMN_INT8_BLOCK ? n - first : LIMN_INT8_BLOCK;
        const float scale_x = quantized(x, t->x + row * t->job.x_stride + first, size);
        double sum = 0;
        for (size_t k = 0; k < size; k++) sum += x[k] * w[first + k];
        acc = fmaf((float)sum, scale_x, acc);
    }
    return fmaf(acc, scale, t->bias ? t->bias[output] : 0.0f);
}

static float expected_float_sum(const test_case *t, size_t row, size_t output)
{
    float total = 0.0f, acc = t->bias ? t->bias[output] : 0.0f;
    for (size_t k = 0; k < t->w.n_inputs; k++) {
        float w = t->weights[output * t->w.n_inputs + k];
        if (t->w.dtype == LIMN_F16) w = limn_f16_to_f32(limn_f32_to_f16(w));
        if (k > 0 && t->job.block > 0 && k % t->job.block == 0) {
            total += acc;
            acc = 0.0f;
        }
        acc = fmaf(t->x[row * t->job.x_stride + k], w, acc);
    }
    return total + acc;
}

static float expected_output(const test_case *t, size_t row, size_t output)
{
    const float acc = t->w.dtype == LIMN_I8 ? expected_int8_sum(t, row, output)
                                            : expected_float_sum(t, row, output);
    const double x = acc;
    switch (t->job.activation) {
    case LIMN_ACT_RELU6: return fminf(fmaxf(acc, 0.0f), 6.0f);
    case LIMN_ACT_RELU: return fmaxf(acc, 0.0f);
    case LIMN_ACT_GELU: return (float)(x * (1 + erf(x * sqrt(0.5))) / 2);
    case LIMN_ACT_GELU_TANH:
        return (float)(x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x))) / 2);
    case LIMN_ACT_QUICK_GELU: return (float)(x / (1 + exp(-1.702 * x)));
    default: return acc;
    }
}

static bool is_smooth(limn_activation a)
{
    return a == LIMN_ACT_GELU || a == LIMN_ACT_GELU_TANH || a == LIMN_ACT_QUICK_GELU;
}

static void test_c_computes_what_the_header_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        float *y = run(&t, LIMN_CPU_C, 0, limn_n_panels(t.w.n_outputs));
        for (size_t i = 0; i < t.job.n_rows * t.w.n_outputs; i++) {
            const size_t row = i / t.w.n_outputs, output = i % t.w.n_outputs;
            const size_t at = (t.y_rows ? t.y_rows[row] : row * t.job.y_stride) + output;
            const float sum = expected_output(&t, row, output);
            float expected = t.residual ? sum + t.residual[at] : sum;
            if (t.job.activation == LIMN_ACT_RELU_OF_SUM) expected = fmaxf(expected, 0.0f);
            const float tolerance = is_smooth(t.job.activation) ? 2e-6f : 0.0f;
            assert_true(fabsf(y[at] - expected) <= tolerance * (1.0f + fabsf(sum)));
        }
        free(y);
        free_case(&t);
    }
}

static void test_nothing_else_is_written(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        float *before = canaries(t.y_size);
        float *y = run(&t, limn_cpu_best(), t.job.panel_begin, t.job.panel_end);
        const size_t begin = t.job.panel_begin * LIMN_PANEL, end = t.job.panel_end * LIMN_PANEL;
        if (t.is_in_place) memcpy(before, t.residual, t.y_size * sizeof *before);
        for (size_t i = 0; i < t.job.n_rows * t.w.n_outputs; i++) {
            const size_t row = i / t.w.n_outputs, output = i % t.w.n_outputs;
            const size_t at = (t.y_rows ? t.y_rows[row] : row * t.job.y_stride) + output;
            if (output >= begin && output < end) before[at] = y[at];
        }
        assert_memory_equal(y, before, t.y_size * sizeof *y);
        free(y);
        free(before);
        free_case(&t);
    }
}

/* Beams, batches and threads: a row's bits depend neither on the rows computed with it nor on
 * the panels. */
static void test_rows_and_panels_do_not_depend_on_company(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        limn_kernels k;
        limn_kernels_init(&k, limn_cpu_best());
        float *together = run(&t, limn_cpu_best(), t.job.panel_begin, t.job.panel_end);
        float *apart = canaries(t.y_size);
        if (t.is_in_place) memcpy(apart, t.residual, t.y_size * sizeof *apart);
        for (size_t row = 0; row < t.job.n_rows; row++) {
            const size_t y_row = t.y_rows ? t.y_rows[row] : row * t.job.y_stride;
            limn_linear_job job = t.job;
            job.w = &t.w;
            job.n_rows = 1;
            job.y_rows = NULL;
            job.x = t.x + row * t.job.x_stride;
            job.y = apart + y_row;
            job.residual = t.is_in_place ? job.y : t.residual ? t.residual + y_row : NULL;
            for (job.panel_begin = t.job.panel_begin; job.panel_begin < t.job.panel_end;
                 job.panel_begin++) {
                job.panel_end = job.panel_begin + 1;
                limn_linear(&k, &job);
            }
        }
        assert_memory_equal(apart, together, t.y_size * sizeof *apart);
        free(apart);
        free(together);
        free_case(&t);
    }
}

/* Values that are not finite are treated the same everywhere: ReLU6 turns NaN into 0. */
static void test_values_that_are_not_finite(void **state)
{
    (void)state;
    float x[2] = { INFINITY, 1.0f }, weights[20 * 2] = { 0 }, bias[20] = { 0 };
    weights[0] = 1.0f;  /* inf */
    weights[2] = -1.0f; /* -inf */
    weights[4] = 0.0f;  /* nan */
    for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        limn_kernels k;
        limn_packed w;
        float y[20] = { NAN, NAN, NAN };
        limn_kernels_init(&k, (limn_cpu_level)level);
        assert_int_equal(limn_packed_init(&w, weights, LIMN_F32, bias, 20, 2, LIMN_F32, NULL), 0);
        const limn_linear_job job = {
            .y = y, .x = x, .n_rows = 1, .w = &w, .panel_end = 2, .activation = LIMN_ACT_RELU6
        };
        limn_linear(&k, &job);
        assert_true(y[0] == 6.0f && y[1] == 0.0f && y[2] == 0.0f && !signbit(y[1]));
        limn_packed_finish(&w);
    }
}

/* Of any size, or of few bits, whose powers are often ties between two floats. */
static float activation_input(limn_rng *rng)
{
    const float sign = random_below(rng, 2) ? 1.0f : -1.0f;
    const float x = (float)random_below(rng, random_below(rng, 2) ? 16 : 1 << 24);
    if (random_below(rng, 4) == 0) return sign * ldexpf(x, (int)random_below(rng, 279) - 175);
    return sign * ldexpf(x, -(int)random_below(rng, 30));
}

static void test_smooth_activations(void **state)
{
    (void)state;
    enum { N = 20000, N_OUTPUTS = 4 };
    const float weights[N_OUTPUTS] = { 1.0f, -1.0f, 0.5f, 2.0f };
    limn_rng rng = limn_rng_stream(1, "activations", 11);
    float *x = malloc(N * sizeof *x), *expected = canaries(N * N_OUTPUTS);
    limn_packed w;
    for (size_t i = 0; i < N; i++) x[i] = activation_input(&rng);
    assert_int_equal(limn_packed_init(&w, weights, LIMN_F32, NULL, N_OUTPUTS, 1, LIMN_F32, NULL),
                     LIMN_OK);
    limn_linear_job job = {
        .x = x, .n_rows = N, .x_stride = 1, .y_stride = N_OUTPUTS, .w = &w, .panel_end = 1
    };
    for (int a = 0; a < LIMN_N_ACTIVATIONS; a++)
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            limn_kernels k;
            if (a == LIMN_ACT_RELU_OF_SUM || !limn_cpu_level_runs((limn_cpu_level)level)) continue;
            limn_kernels_init(&k, (limn_cpu_level)level);
            job.activation = (limn_activation)a;
            job.y = level == LIMN_CPU_C ? expected : canaries(N * N_OUTPUTS);
            limn_linear(&k, &job);
            assert_memory_equal(job.y, expected, N * N_OUTPUTS * sizeof *expected);
            if (level != LIMN_CPU_C) free(job.y);
        }
    limn_packed_finish(&w);
    free(x);
    free(expected);
}

/* Inputs that are all -1 or all 1 (their quantized values are -127 and 127), zeros, a channel a
 * hundred times as large as the others, values too small to tell from zero, and values that are not
 * finite. */
static void fill_extremes(float *x, size_t n, size_t kind)
{
    static const float values[] = { -1.0f, 1.0f, 0.0f, 0.01f, 1e-31f, 3e38f, 1.0f };
    for (size_t k = 0; k < n; k++) x[k] = values[kind];
    if (kind == 3) x[n / 2] = -1.0f;
    if (kind == 6) x[n - 1] = n % 2 ? NAN : -INFINITY;
}

static void check_extremes(size_t n_rows, size_t n_inputs, size_t n_outputs, size_t kind_x,
                           size_t kind_w)
{
    float *x = malloc(n_rows * n_inputs * sizeof *x), *weights = malloc(n_outputs * n_inputs * 4);
    float *y = malloc(n_rows * n_outputs * sizeof *y), *expected = malloc(n_rows * n_outputs * 4);
    limn_packed w;
    fill_extremes(x, n_rows * n_inputs, kind_x);
    fill_extremes(weights, n_outputs * n_inputs, kind_w);
    assert_int_equal(
        limn_packed_init(&w, weights, LIMN_F32, NULL, n_outputs, n_inputs, LIMN_I8, NULL), LIMN_OK);
    limn_linear_job job = { .y = expected,
                            .x = x,
                            .n_rows = n_rows,
                            .x_stride = n_inputs,
                            .y_stride = n_outputs,
                            .w = &w,
                            .panel_end = limn_n_panels(n_outputs) };
    for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
        limn_kernels k;
        if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
        limn_kernels_init(&k, (limn_cpu_level)level);
        memset(job.y, 0xff, n_rows * n_outputs * sizeof *y); /* not what the level before left */
        limn_linear(&k, &job);
        assert_memory_equal(job.y, expected, n_rows * n_outputs * sizeof *y);
        job.y = y;
    }
    const float sum = (float)n_inputs * (kind_x == kind_w ? 1.0f : -1.0f);
    if (kind_x < 2 && kind_w < 2) assert_true(fabsf(expected[0] - sum) < 1e-5f * (float)n_inputs);
    if (kind_x == 2 || kind_x == 4) assert_true(expected[0] == 0.0f);
    if (kind_x == 6) assert_true(isnan(expected[n_rows * n_outputs - 1]));
    limn_packed_finish(&w);
    free(x);
    free(weights);
    free(y);
    free(expected);
}

static void test_int8_of_extreme_values(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 31, 32, 33, 64, 1000, LIMN_INT8_MAX_INPUTS };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t kinds = 0; kinds < 7 * 4; kinds++)
            check_extremes(1 + kinds % 9, sizes[i], 17 + kinds % 5 * 16, kinds % 7, kinds / 7);
}

/* Rows of more blocks than a level quantises together, whose largest values are of all kinds. */
static void test_int8_of_long_rows(void **state)
{
    enum { N = 1100, N_ROWS = 7, N_OUTPUTS = 33 };
    static const float values[] = { 0.0f, 1e-31f, 1e-29f, 3e38f, 250.0f, INFINITY, -INFINITY, NAN };
    limn_rng rng = limn_rng_stream(1, "long rows", 9);
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        const size_t n = N - random_below(&rng, 600), n_kinds = i % 2 ? 5 : 8;
        float *x = random_floats(&rng, N_ROWS * n), *weights = random_floats(&rng, N_OUTPUTS * n);
        float y[2][N_ROWS * N_OUTPUTS];
        limn_packed w;
        for (size_t k = 0; k < N_ROWS * n; k += 1 + random_below(&rng, 60))
            x[k] = values[random_below(&rng, n_kinds)];
        assert_int_equal(limn_packed_init(&w, weights, LIMN_F32, NULL, N_OUTPUTS, n, LIMN_I8, NULL),
                         LIMN_OK);
        limn_linear_job job = limn_dense_job(y[0], x, N_ROWS, &w);
        job.panel_end = limn_n_panels(N_OUTPUTS);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            limn_kernels k;
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            limn_kernels_init(&k, (limn_cpu_level)level);
            memset(job.y, 0xff, sizeof y[0]); /* not what the level before left */
            limn_linear(&k, &job);
            assert_memory_equal(job.y, y[0], sizeof y[0]);
            job.y = y[1];
        }
        limn_packed_finish(&w);
        free(x);
        free(weights);
    }
}

static void test_int8_of_too_many_inputs_is_an_error(void **state)
{
    (void)state;
    limn_packed w;
    limn_error err = { 0 };
    assert_int_equal(
        limn_packed_init(&w, NULL, LIMN_F32, NULL, 1, LIMN_INT8_MAX_INPUTS + 1, LIMN_I8, &err),
        LIMN_E_LIMIT);
    assert_string_equal(err.text, "weights of 8193 inputs: int8 takes at most 8192");
}

/* The weights of an output are recovered within half a step. */
static void test_an_output_of_int8(void **state)
{
    (void)state;
    limn_rng rng = limn_rng_stream(1, "output", 6);
    float *weights = random_floats(&rng, 40 * 70), back[70];
    limn_packed w;
    assert_int_equal(limn_packed_init(&w, weights, LIMN_F32, NULL, 40, 70, LIMN_I8, NULL), LIMN_OK);
    const limn_packed view = limn_packed_view(&w, 16, 20);
    assert_int_equal(view.n_outputs, 20);
    assert_int_equal(limn_packed_bytes(&w, false), 3 * (3 * 512 + 64 + 64));
    for (size_t o = 0; o < 40; o++) {
        if (o < 16 || o >= 36)
            limn_packed_output(back, &w, o);
        else
            limn_packed_output(back, &view, o - 16);
        for (size_t k = 0; k < 70; k++)
            assert_true(fabsf(back[k] - weights[o * 70 + k]) <= 2.0f / 127 / 2 * 1.0001f);
    }
    limn_packed_finish(&w);
    free(weights);
}

static void test_weights_too_large_for_memory_are_an_error(void **state)
{
    (void)state;
    limn_packed w;
    limn_error err = { 0 };
    assert_int_equal(limn_packed_init(&w, NULL, LIMN_F32, NULL, SIZE_MAX, 2, LIMN_F16, &err),
                     LIMN_E_NOMEM);
    assert_int_equal(limn_packed_init(&w, NULL, LIMN_F32, NULL, 17, SIZE_MAX / 8, LIMN_F16, &err),
                     LIMN_E_NOMEM);
    limn_packed_finish(&w);
}

/* Fills memory that is full of canaries. */
static void check_filled(size_t n_outputs, size_t n_inputs, bool is_transposed, bool has_bias)
{
    limn_rng rng = limn_rng_stream(n_outputs * 100 + n_inputs, "fill", 4);
    const size_t n_lanes = limn_n_panels(n_outputs) * LIMN_PANEL;
    float *w = random_floats(&rng, n_outputs * n_inputs), *bias = random_floats(&rng, n_outputs);
    float *transposed = malloc((n_outputs * n_inputs + 1) * sizeof *transposed);
    float *panels = canaries(n_lanes * n_inputs), *lanes = canaries(n_lanes);
    const limn_packed got = { .panels = panels,
                              .bias = has_bias ? lanes : NULL,
                              .n_outputs = n_outputs,
                              .n_inputs = n_inputs,
                              .dtype = LIMN_F32 };
    limn_packed expected;
    for (size_t o = 0; o < n_outputs; o++)
        for (size_t i = 0; i < n_inputs; i++) transposed[i * n_outputs + o] = w[o * n_inputs + i];
    assert_int_equal(limn_packed_init(&expected, w, LIMN_F32, has_bias ? bias : NULL, n_outputs,
                                      n_inputs, LIMN_F32, NULL),
                     LIMN_OK);
    if (is_transposed)
        limn_packed_fill_transposed(&got, transposed, bias);
    else
        limn_packed_fill(&got, w, bias);
    assert_memory_equal(panels, expected.panels, n_lanes * n_inputs * sizeof *panels);
    if (has_bias) assert_memory_equal(lanes, expected.bias, n_lanes * sizeof *lanes);
    limn_packed_finish(&expected);
    free(w);
    free(bias);
    free(transposed);
    free(panels);
    free(lanes);
}

static void test_memory_of_the_caller_is_filled_as_packing_does(void **state)
{
    (void)state;
    for (size_t n_outputs = 1; n_outputs < 40; n_outputs += 5)
        for (size_t n_inputs = 1; n_inputs < 20; n_inputs += 6)
            for (int i = 0; i < 4; i++) check_filled(n_outputs, n_inputs, i % 2, i / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_level_gives_the_bits_of_c),
        cmocka_unit_test(test_few_rows_of_many_weights),
        cmocka_unit_test(test_c_computes_what_the_header_says),
        cmocka_unit_test(test_nothing_else_is_written),
        cmocka_unit_test(test_rows_and_panels_do_not_depend_on_company),
        cmocka_unit_test(test_values_that_are_not_finite),
        cmocka_unit_test(test_smooth_activations),
        cmocka_unit_test(test_int8_of_extreme_values),
        cmocka_unit_test(test_int8_of_long_rows),
        cmocka_unit_test(test_int8_of_too_many_inputs_is_an_error),
        cmocka_unit_test(test_an_output_of_int8),
        cmocka_unit_test(test_memory_of_the_caller_is_filled_as_packing_does),
        cmocka_unit_test(test_weights_too_large_for_memory_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

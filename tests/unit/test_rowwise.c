/* Layer norm, softmax, log-sum-exp and attention: the C level against double precision, every other
 * level against C with memcmp, over random lengths. */
#include <math.h>

#include "tests/unit/kernel_check.h"

enum { N_CASES = 400, MAX_ROWS = 5, MAX_LENGTH = 300 };

/* The inputs of every kernel. */
typedef struct test_case {
    size_t n_rows, n, stride, dim;
    float *x, *gamma, *beta; /* [n_rows, stride], [n], [n] */
    float *q, *k, *v;        /* [dim], [n, dim], [n, dim] */
} test_case;

typedef struct outputs {
    float norm[MAX_ROWS * MAX_LENGTH], softmax[MAX_ROWS * (MAX_LENGTH + 8)];
    float log_sum_exp[MAX_ROWS];
    float attended[64 + 1], weights[MAX_LENGTH + 1];
} outputs;

/* A sum in their exp is halfway between two floats, and which is taken shows in the result. */
static const float exp_ties[] = { -0x1.62ba28p+2f, -0x1.62b56p+1f, -0x1.62b874p+3f, -0x1.62b49cp+3f,
                                  -0.0f };

static test_case make_case(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "rowwise", 7);
    test_case t = { .n_rows = random_below(&rng, MAX_ROWS + 1),
                    .n = 1 + random_below(&rng, random_below(&rng, 2) ? 40 : MAX_LENGTH),
                    .dim = 1 + random_below(&rng, 64) };
    const float spread = random_below(&rng, 3) ? 3.0f : 60.0f;
    t.stride = t.n + random_below(&rng, 8);
    t.x = random_floats(&rng, t.n_rows * t.stride);
    for (size_t i = 0; i < t.n_rows * t.stride; i++) t.x[i] = spread * t.x[i] + 5.0f;
    for (size_t i = 0; seed % 3 == 0 && i < t.n_rows * t.stride; i++)
        t.x[i] = i % t.stride == t.n - 1 ? 0.0f : exp_ties[random_below(&rng, 5)];
    if (t.n > 1 && t.n_rows > 0)
        t.x[random_below(&rng, t.n - 1)] = -INFINITY; /* a banned token, but never all */
    t.gamma = random_floats(&rng, t.n);
    t.beta = random_floats(&rng, t.n);
    t.q = random_floats(&rng, t.dim);
    t.k = random_floats(&rng, t.n * t.dim);
    t.v = random_floats(&rng, t.n * t.dim);
    return t;
}

static void free_case(test_case *t)
{
    free(t->x);
    free(t->gamma);
    free(t->beta);
    free(t->q);
    free(t->k);
    free(t->v);
}

/* Rows without gaps and infinities, as layer norm takes them. */
static void dense_rows(float *out, const test_case *t)
{
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t i = 0; i < t->n; i++) {
            const float x = t->x[r * t->stride + i];
            out[r * t->n + i] = isinf(x) ? 1.0f : x;
        }
}

static outputs *run(const test_case *t, limn_cpu_level level)
{
    outputs *o = malloc(sizeof *o);
    const float *k[MAX_LENGTH], *v[MAX_LENGTH];
    limn_kernels kernels;
    limn_kernels_init(&kernels, level);
    memset(o, 0x5a, sizeof *o);
    dense_rows(o->norm, t);
    kernels.layer_norm(o->norm, o->norm, t->gamma, t->beta, 1e-5f, t->n_rows, t->n);
    memcpy(o->softmax, t->x, t->n_rows * t->stride * sizeof *t->x);
    kernels.softmax(o->softmax, t->n_rows, t->n, t->stride);
    for (size_t r = 0; r < t->n_rows; r++)
        o->log_sum_exp[r] = kernels.log_sum_exp(t->x + r * t->stride, t->n);
    for (size_t p = 0; p < t->n; p++) {
        k[p] = t->k + p * t->dim;
        v[p] = t->v + (t->n - 1 - p) * t->dim;
    }
    kernels.attend(o->attended, o->weights, t->q, k, v, t->n, t->dim, 0.3f);
    return o;
}

static void test_every_level_gives_the_bits_of_c(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        outputs *expected = run(&t, LIMN_CPU_C);
        for (int level = LIMN_CPU_C + 1; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            outputs *o = run(&t, (limn_cpu_level)level);
            if (memcmp(o, expected, sizeof *o) != 0)
                fail_msg("%s differs from c in case %d: %zu rows of %zu, dim %zu",
                         limn_cpu_level_name((limn_cpu_level)level), (int)seed, t.n_rows, t.n,
                         t.dim);
            free(o);
        }
        free(expected);
        free_case(&t);
    }
}

static void check_near(float value, double expected, double tolerance)
{
    if (!(fabs((double)value - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%.9g, expected %.9g", (double)value, expected);
}

static void check_norm(const test_case *t, const outputs *o)
{
    float x[MAX_ROWS * MAX_LENGTH];
    dense_rows(x, t);
    for (size_t r = 0; r < t->n_rows; r++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < t->n; i++) mean += (double)x[r * t->n + i] / (double)t->n;
        for (size_t i = 0; i < t->n; i++)
            variance += pow((double)x[r * t->n + i] - mean, 2) / (double)t->n;
        for (size_t i = 0; i < t->n; i++)
            check_near(o->norm[r * t->n + i],
                       ((double)x[r * t->n + i] - mean) / sqrt(variance + 1e-5) *
                               (double)t->gamma[i] +
                           (double)t->beta[i],
                       t->n > 1 ? 1e-5 : 1e-2);
    }
}

/* max + log sum of exp of a row */
static double log_sum(const float *x, size_t n)
{
    double max = (double)-INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) max = fmax(max, (double)x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - max);
    return max + log(sum);
}

static void check_attention(const test_case *t, const outputs *o)
{
    float scores[MAX_LENGTH];
    double sums[64] = { 0 };
    for (size_t p = 0; p < t->n; p++) {
        double dot = 0;
        for (size_t i = 0; i < t->dim; i++) dot += (double)t->q[i] * (double)t->k[p * t->dim + i];
        scores[p] = (float)(dot * (double)0.3f);
    }
    for (size_t p = 0; p < t->n; p++) {
        const double weight = exp((double)scores[p] - log_sum(scores, t->n));
        check_near(o->weights[p], weight, 2e-5);
        for (size_t i = 0; i < t->dim; i++)
            sums[i] += weight * (double)t->v[(t->n - 1 - p) * t->dim + i];
    }
    for (size_t i = 0; i < t->dim; i++) check_near(o->attended[i], sums[i], 2e-5);
}

static void test_c_computes_what_the_header_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t = make_case(seed);
        outputs *o = run(&t, LIMN_CPU_C);
        check_norm(&t, o);
        for (size_t r = 0; r < t.n_rows; r++) {
            const float *x = t.x + r * t.stride;
            const double sum = log_sum(x, t.n);
            check_near(o->log_sum_exp[r], sum, 1e-6);
            for (size_t i = 0; i < t.stride; i++) {
                const float y = o->softmax[r * t.stride + i];
                if (i < t.n)
                    check_near(y, exp((double)x[i] - sum), 1e-6);
                else
                    assert_memory_equal(&y, &x[i], sizeof y);
            }
        }
        check_attention(&t, o);
        free(o);
        free_case(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_level_gives_the_bits_of_c),
        cmocka_unit_test(test_c_computes_what_the_header_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

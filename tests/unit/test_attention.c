/* Attention of many positions: level C against the sums of the header written out, every other
 * level and number of threads against C with memcmp; and nothing is written out of bounds. */
#include <math.h>

#include "tests/unit/kernel_check.h"

#include "common/kernels/attention.h"

enum { N_CANARIES = 8, MAX_THREADS = 3 };

typedef struct test_case {
    size_t n_rows, n_keys, n_heads, head_dim;
} test_case;

static const test_case cases[] = {
    { 1, 1, 1, 8 },    { 3, 17, 6, 16 },  { 29, 28, 2, 24 },   { 64, 37, 3, 8 },
    { 113, 50, 1, 4 }, { 2, 300, 2, 64 }, { 130, 130, 4, 16 },
};

/* Queries, keys and values of a case side by side in each row, as one product makes them; scores
 * are large enough for softmax to matter. */
static float *make_qkv(const test_case *t)
{
    limn_rng rng = limn_rng_stream(t->n_rows, "attention", 9);
    const size_t n = t->n_rows > t->n_keys ? t->n_rows : t->n_keys;
    return random_floats(&rng, n * 3 * t->n_heads * t->head_dim);
}

static limn_attention attention_of(const test_case *t, const float *qkv, float *y)
{
    const size_t dim = t->n_heads * t->head_dim;
    return (limn_attention){ .n_rows = t->n_rows,
                             .n_keys = t->n_keys,
                             .n_heads = t->n_heads,
                             .head_dim = t->head_dim,
                             .q = qkv,
                             .k = qkv + dim,
                             .v = qkv + 2 * dim,
                             .q_stride = 3 * dim,
                             .kv_stride = 3 * dim,
                             .y = y };
}

/* One query of one head, in doubles. */
static void attend(double *y, const limn_attention *a, size_t row, size_t head)
{
    const size_t at = head * a->head_dim;
    double *scores = malloc(a->n_keys * sizeof *scores), largest = -HUGE_VAL, sum = 0;
    assert_non_null(scores);
    for (size_t p = 0; p < a->n_keys; p++) {
        scores[p] = 0;
        for (size_t i = 0; i < a->head_dim; i++)
            scores[p] += (double)a->q[row * a->q_stride + at + i] * a->k[p * a->kv_stride + at + i];
        scores[p] /= sqrt((double)a->head_dim);
        largest = fmax(largest, scores[p]);
    }
    for (size_t p = 0; p < a->n_keys; p++) sum += scores[p] = exp(scores[p] - largest);
    for (size_t i = 0; i < a->head_dim; i++) {
        y[i] = 0;
        for (size_t p = 0; p < a->n_keys; p++)
            y[i] += scores[p] / sum * a->v[p * a->kv_stride + at + i];
    }
    free(scores);
}

static void assert_near_doubles(const limn_attention *a)
{
    double y[64];
    for (size_t row = 0; row < a->n_rows; row++)
        for (size_t head = 0; head < a->n_heads; head++) {
            attend(y, a, row, head);
            for (size_t i = 0; i < a->head_dim; i++) {
                const double is = (double)a->y[(row * a->n_heads + head) * a->head_dim + i];
                if (!(fabs(is - y[i]) < 2e-6))
                    fail_msg("row %zu, head %zu: %.9g, expected %.9g", row, head, is, y[i]);
            }
        }
}

static float *run(const test_case *t, const float *qkv, limn_cpu_level level, limn_pool *pool)
{
    limn_kernels k;
    const size_t n_scratch = limn_attention_floats(t->n_keys, t->n_heads, t->head_dim);
    float *y = canaries(t->n_rows * t->n_heads * t->head_dim + N_CANARIES);
    float *scratch = aligned_alloc(64, (n_scratch + 16) * sizeof *scratch / 64 * 64);
    const limn_attention a = attention_of(t, qkv, y);
    assert_non_null(scratch);
    limn_kernels_init(&k, level);
    const limn_runner r = { .kernels = &k, .pool = pool };
    limn_attention_run(&r, &a, scratch);
    free(scratch);
    return y;
}

static void test_all_levels_give_what_the_header_says(void **state)
{
    limn_pool *pool;
    (void)state;
    assert_int_equal(limn_pool_create(&pool, MAX_THREADS, NULL), LIMN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const test_case *t = &cases[i];
        const size_t n = t->n_rows * t->n_heads * t->head_dim;
        float *qkv = make_qkv(t), *expected = run(t, qkv, LIMN_CPU_C, NULL), *rest = canaries(1);
        const limn_attention a = attention_of(t, qkv, expected);
        assert_near_doubles(&a);
        for (size_t k = 0; k < N_CANARIES; k++)
            assert_memory_equal(expected + n + k, rest, sizeof *rest);
        for (int level = 0; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            float *one = run(t, qkv, (limn_cpu_level)level, NULL);
            float *several = run(t, qkv, (limn_cpu_level)level, pool);
            assert_memory_equal(one, expected, (n + N_CANARIES) * sizeof *one);
            assert_memory_equal(several, expected, (n + N_CANARIES) * sizeof *one);
            free(one);
            free(several);
        }
        free(qkv);
        free(expected);
        free(rest);
    }
    limn_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_levels_give_what_the_header_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

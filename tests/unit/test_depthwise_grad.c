/* limn_rows_grad.depthwise: the C level against sums in double precision over what it read, every
 * other level against C with memcmp. */
#include <math.h>

#include "common/kernels/rows_grad.h"
#include "tests/unit/kernel_check.h"

enum { N_CASES = 300, MAX_SIZE = 5 };

typedef struct test_case {
    size_t n_columns, n_channels, size, stride, row_size;
    bool has_row[MAX_SIZE];
    float *x, *w, *dy;      /* x [size, row_size] */
    float *dx, *dw, *dbias; /* gradients are added to these */
} test_case;

static void make_case(test_case *t, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "depthwise", 9);
    t->size = random_below(&rng, 2) ? 3 : 5;
    t->stride = 1 + random_below(&rng, 2);
    t->n_columns = random_below(&rng, 15);
    t->n_channels = random_below(&rng, 28);
    t->row_size = (t->n_columns * t->stride + t->size) * t->n_channels;
    for (size_t ky = 0; ky < t->size; ky++) t->has_row[ky] = random_below(&rng, 6) > 0;
    t->x = random_floats(&rng, t->size * t->row_size);
    t->dx = random_floats(&rng, t->size * t->row_size);
    t->w = random_floats(&rng, t->size * t->size * t->n_channels);
    t->dw = random_floats(&rng, t->size * t->size * t->n_channels);
    t->dy = random_floats(&rng, t->n_columns * t->n_channels);
    t->dbias = random_floats(&rng, t->n_channels);
}

static void free_case(test_case *t)
{
    free(t->x);
    free(t->dx);
    free(t->w);
    free(t->dw);
    free(t->dy);
    free(t->dbias);
}

typedef struct gradients {
    float *dx, *dw, *dbias;
} gradients;

static float *copy_of(const float *x, size_t n)
{
    float *copy = canaries(n + 1); /* the last one must stay */
    if (n > 0) memcpy(copy, x, n * sizeof *x);
    return copy;
}

static gradients run(const test_case *t, limn_cpu_level level)
{
    const gradients g = { copy_of(t->dx, t->size * t->row_size),
                          copy_of(t->dw, t->size * t->size * t->n_channels),
                          copy_of(t->dbias, t->n_channels) };
    float *dx_rows[MAX_SIZE];
    const float *x_rows[MAX_SIZE];
    for (size_t ky = 0; ky < t->size; ky++) {
        x_rows[ky] = t->has_row[ky] ? t->x + ky * t->row_size : NULL;
        dx_rows[ky] = t->has_row[ky] ? g.dx + ky * t->row_size : NULL;
    }
    limn_rows_grad_choose(level)->depthwise(&(limn_depthwise_grad_job){ .dx_rows = dx_rows,
                                                                        .x_rows = x_rows,
                                                                        .w = t->w,
                                                                        .dw = g.dw,
                                                                        .dbias = g.dbias,
                                                                        .dy = t->dy,
                                                                        .n_columns = t->n_columns,
                                                                        .n_channels = t->n_channels,
                                                                        .size = t->size,
                                                                        .stride = t->stride });
    return g;
}

static void free_gradients(gradients *g)
{
    free(g->dx);
    free(g->dw);
    free(g->dbias);
}

static double expected_dw(const test_case *t, size_t ky, size_t kx, size_t c)
{
    double sum = t->dw[(ky * t->size + kx) * t->n_channels + c];
    for (size_t j = 0; t->has_row[ky] && j < t->n_columns; j++)
        sum += (double)t->dy[j * t->n_channels + c] *
               t->x[ky * t->row_size + (j * t->stride + kx) * t->n_channels + c];
    return sum;
}

static double expected_dx(const test_case *t, size_t ky, size_t column, size_t c)
{
    double sum = t->dx[ky * t->row_size + column * t->n_channels + c];
    for (size_t j = 0; t->has_row[ky] && j < t->n_columns; j++)
        if (column >= j * t->stride && column - j * t->stride < t->size)
            sum += (double)t->dy[j * t->n_channels + c] *
                   t->w[(ky * t->size + column - j * t->stride) * t->n_channels + c];
    return sum;
}

static void assert_near(float got, double expected)
{
    if (!(fabs(got - expected) <= 2e-5)) fail_msg("%.8g, expected %.8g", (double)got, expected);
}

static void test_c_is_the_sums(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        gradients g = run(&t, LIMN_CPU_C);
        for (size_t c = 0; c < t.n_channels; c++) {
            double dbias = t.dbias[c];
            for (size_t ky = 0; ky < t.size; ky++) {
                for (size_t kx = 0; kx < t.size; kx++)
                    assert_near(g.dw[(ky * t.size + kx) * t.n_channels + c],
                                expected_dw(&t, ky, kx, c));
                for (size_t i = 0; i < t.row_size / t.n_channels; i++)
                    assert_near(g.dx[ky * t.row_size + i * t.n_channels + c],
                                expected_dx(&t, ky, i, c));
            }
            for (size_t j = 0; j < t.n_columns; j++) dbias += t.dy[j * t.n_channels + c];
            assert_near(g.dbias[c], dbias);
        }
        free_gradients(&g);
        free_case(&t);
    }
}

static void test_levels_give_the_same_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        gradients expected = run(&t, LIMN_CPU_C);
        for (limn_cpu_level level = LIMN_CPU_C; level <= limn_cpu_best(); level++) {
            gradients g = run(&t, level);
            assert_memory_equal(g.dx, expected.dx, (t.size * t.row_size + 1) * sizeof *g.dx);
            assert_memory_equal(g.dw, expected.dw,
                                (t.size * t.size * t.n_channels + 1) * sizeof *g.dw);
            assert_memory_equal(g.dbias, expected.dbias, (t.n_channels + 1) * sizeof *g.dbias);
            free_gradients(&g);
        }
        free_gradients(&expected);
        free_case(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c_is_the_sums),
        cmocka_unit_test(test_levels_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* limn_rows_grad.weight_grad: the C level against sums in double precision, every other level
 * against C with memcmp, what lies between the rows of dw included. */
#include <math.h>

#include "common/kernels/rows_grad.h"
#include "tests/unit/kernel_check.h"

enum { N_CASES = 120 };

typedef struct test_case {
    limn_weight_grad_job job; /* whose dw is NULL */
    float *dw, *dy, *x;
    size_t n_dw;
} test_case;

/* Of blocks of the vector kernels (128 rows): a part, or a few. */
static void make_case(test_case *t, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "weight_grad", 11);
    const size_t kind = seed % 4;
    t->job = (limn_weight_grad_job){
        .n_outputs = random_below(&rng, kind == 1 ? 2 * LIMN_WEIGHT_GRAD_OUTPUTS + 38 : 40),
        .n_inputs = random_below(&rng, kind == 2 ? 2 * LIMN_WEIGHT_GRAD_INPUTS + 52 : 80),
        .n_rows = random_below(&rng, kind == 3 ? 400 : 20),
    };
    t->job.dw_stride = t->job.n_inputs + random_below(&rng, 20);
    t->job.dy_stride = t->job.n_outputs + random_below(&rng, 20);
    t->job.x_stride = t->job.n_inputs + random_below(&rng, 20);
    t->n_dw = t->job.n_outputs * t->job.dw_stride + 1; /* the last one must stay */
    t->dw = random_floats(&rng, t->n_dw);
    t->job.dy = t->dy = random_floats(&rng, t->job.n_rows * t->job.dy_stride);
    t->job.x = t->x = random_floats(&rng, t->job.n_rows * t->job.x_stride);
}

static void free_case(test_case *t)
{
    free(t->dw);
    free(t->dy);
    free(t->x);
}

static float *run(const test_case *t, limn_cpu_level level)
{
    limn_weight_grad_job job = t->job;
    job.dw = malloc(t->n_dw * sizeof *job.dw);
    assert_non_null(job.dw);
    memcpy(job.dw, t->dw, t->n_dw * sizeof *job.dw);
    limn_rows_grad_choose(level)->weight_grad(&job);
    return job.dw;
}

static void check_sums(const test_case *t, const float *dw)
{
    const limn_weight_grad_job *j = &t->job;
    for (size_t o = 0; o < j->n_outputs; o++)
        for (size_t i = 0; i < j->dw_stride; i++) {
            double sum = (double)t->dw[o * j->dw_stride + i];
            for (size_t r = 0; i < j->n_inputs && r < j->n_rows; r++)
                sum += (double)j->dy[r * j->dy_stride + o] * j->x[r * j->x_stride + i];
            if (!(fabs(dw[o * j->dw_stride + i] - sum) <= 4e-4))
                fail_msg("dw[%zu][%zu] is %.8g, not %.8g", o, i, (double)dw[o * j->dw_stride + i],
                         sum);
        }
}

static void test_c_is_the_sums(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        float *dw = run(&t, LIMN_CPU_C);
        check_sums(&t, dw);
        free(dw);
        free_case(&t);
    }
}

static void test_levels_give_the_same_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_CASES; seed++) {
        test_case t;
        make_case(&t, seed);
        float *expected = run(&t, LIMN_CPU_C);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            float *dw = run(&t, (limn_cpu_level)level);
            assert_memory_equal(dw, expected, t.n_dw * sizeof *dw);
            free(dw);
        }
        free(expected);
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

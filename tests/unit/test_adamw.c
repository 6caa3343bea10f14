/* The optimizer against its formulas in double precision: moments, decay, clipping, rates, and the
 * moving average; the same bits for any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "models/train/adamw.h"
#include "models/train/optimizer_kinds.h"

enum { N_STEPS = 40, N_PARAMS = 4 };

static const limn_optimizer_settings settings = { .beta1 = 0.9f,
                                                  .beta2 = 0.98f,
                                                  .epsilon = 1e-8f,
                                                  .weight_decay = 0.1f,
                                                  .clip_norm = 2.0f,
                                                  .average_decay = 0.6f };

/* A matrix, a bias, a matrix with a rate of its own, and one that is frozen. */
static void make_params(limn_params *params)
{
    static const size_t shapes[N_PARAMS][2] = { { 7, 5 }, { 21, 1 }, { 3, 3 }, { 40, 40 } };
    static const float rates[N_PARAMS] = { 1, 1, 0.25f, 0 };
    limn_rng rng = limn_rng_stream(2, "values", 6);
    memset(params, 0, sizeof *params);
    for (size_t i = 0; i < N_PARAMS; i++) {
        const char name[] = { (char)('a' + i), 0 };
        assert_int_equal(limn_params_add(params, name, 2, shapes[i], i != 1, NULL), LIMN_OK);
        params->items[i].rate = rates[i];
    }
    assert_int_equal(limn_params_allocate(params, NULL), LIMN_OK);
    for (size_t i = 0; i < params->n_floats; i++) params->values[i] = (float)limn_rng_normal(&rng);
}

/* Norms from 1 to 4, so that some are clipped and some not; none for what is frozen. */
static void make_gradients(limn_params *params, uint64_t step)
{
    limn_rng rng = limn_rng_stream(step, "gradients", 9);
    limn_params_clear_gradients(params);
    for (const limn_param *p = params->items; p < params->items + N_PARAMS - 1; p++)
        for (size_t i = p->offset; i < p->offset + p->n; i++)
            params->gradients[i] = (float)(limn_rng_normal(&rng) * 0.1 * (double)(1 + step % 4));
}

static double rate_at(uint64_t step)
{
    return 0.02 / (1.0 + 0.1 * (double)step);
}

/* ---- formulas ------------------------------------------------------------------------------ */

struct plain {
    double *value, *m, *v, *average;
};

static struct plain plain_init(const limn_params *params)
{
    const size_t n = params->n_floats;
    struct plain p = { limn_calloc(n, sizeof(double)), limn_calloc(n, sizeof(double)),
                       limn_calloc(n, sizeof(double)), limn_calloc(n, sizeof(double)) };
    for (size_t i = 0; i < n; i++) p.value[i] = p.average[i] = params->values[i];
    return p;
}

static void plain_finish(struct plain *p)
{
    limn_free(p->value);
    limn_free(p->m);
    limn_free(p->v);
    limn_free(p->average);
}

/* Kingma & Ba 2015, with the decay of Loshchilov & Hutter 2019; `step` counts from 1. */
static void plain_step(struct plain *p, const limn_params *params, double rate, double norm,
                       double step)
{
    const double clip = norm > 2.0 ? 2.0 / norm : 1.0;
    const double decay = fmin(0.6, (1 + step) / (10 + step));
    for (size_t j = 0; j < params->n_items; j++) {
        const limn_param *item = &params->items[j];
        for (size_t i = item->offset; i < item->offset + item->n; i++) {
            const double g = params->gradients[i] * clip;
            p->m[i] = 0.9 * p->m[i] + 0.1 * g;
            p->v[i] = 0.98 * p->v[i] + 0.02 * g * g;
            const double m = p->m[i] / (1 - pow(0.9, step)), v = p->v[i] / (1 - pow(0.98, step));
            p->value[i] -=
                rate * item->rate * ((item->decays ? 0.1 * p->value[i] : 0) + m / (sqrt(v) + 1e-8));
            p->average[i] = decay * p->average[i] + (1 - decay) * p->value[i];
        }
    }
}

static double plain_norm(const limn_params *params)
{
    double sum = 0;
    for (size_t i = 0; i < params->n_floats; i++)
        sum += (double)params->gradients[i] * params->gradients[i];
    return sqrt(sum);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void assert_follows(const char *what, const limn_params *params, const float *got,
                           const double *expected)
{
    for (size_t j = 0; j < params->n_items; j++) {
        const limn_param *item = &params->items[j];
        for (size_t i = item->offset; i < item->offset + item->n; i++)
            if (!(fabs(got[i] - expected[i]) <= 2e-6 * fmax(1, fabs(expected[i]))))
                fail_msg("%s of %s: %.9g, expected %.9g", what, item->name, (double)got[i],
                         expected[i]);
    }
}

static void test_steps_and_average_follow_the_formulas(void **state)
{
    limn_params params;
    limn_optimizer adamw;
    size_t n_clipped = 0;
    (void)state;
    make_params(&params);
    struct plain p = plain_init(&params);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &params, NULL), LIMN_OK);
    for (uint64_t step = 0; step < N_STEPS; step++) {
        make_gradients(&params, step);
        const double norm = limn_gradient_norm(&params, NULL);
        assert_true(fabs(norm - plain_norm(&params)) < 1e-9 * norm);
        n_clipped += norm > 2.0;
        limn_optimizer_step(&adamw, &params, &settings, (float)rate_at(step), norm, NULL);
        plain_step(&p, &params, rate_at(step), norm, (double)step + 1);
        assert_follows("value", &params, params.values, p.value);
        assert_follows("average", &params, adamw.average, p.average);
    }
    assert_in_range(n_clipped, 5, N_STEPS - 5);
    plain_finish(&p);
    limn_optimizer_finish(&adamw);
    limn_params_finish(&params);
}

/* The defaults are those of torch.optim.AdamW, with clipping at 1 and a slow average. */
static void test_the_defaults(void **state)
{
    const limn_optimizer_settings s = limn_optimizer_settings_default();
    (void)state;
    assert_true(s.beta1 == 0.9F && s.beta2 == 0.999F && s.epsilon == 1e-8F);
    assert_true(s.weight_decay == 0.01F && s.clip_norm == 1.0F && s.average_decay == 0.999F);
}

/* torch.nn.utils.clip_grad_norm_ divides by the norm + 1e-6. */
static void test_the_smallest_gradients_are_clipped_as_in_pytorch(void **state)
{
    limn_optimizer_settings s = limn_optimizer_settings_default();
    limn_params params;
    limn_optimizer adamw;
    (void)state;
    make_params(&params);
    limn_params_clear_gradients(&params);
    params.gradients[0] = 2e-6F;
    s.clip_norm = 1e-6F;
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &params, NULL), LIMN_OK);
    limn_optimizer_step(&adamw, &params, &s, 1e-3F, limn_gradient_norm(&params, NULL), NULL);
    assert_true(fabs((double)adamw.states[0][0] - 0.1 * 2e-6 / 3) < 1e-12);
    limn_optimizer_finish(&adamw);
    limn_params_finish(&params);
}

static void test_a_rate_of_zero_keeps_every_bit(void **state)
{
    limn_params params, before;
    limn_optimizer adamw;
    (void)state;
    make_params(&params);
    make_params(&before);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &params, NULL), LIMN_OK);
    for (uint64_t step = 0; step < N_STEPS; step++) {
        make_gradients(&params, step);
        limn_optimizer_step(&adamw, &params, &settings, 0.02f, limn_gradient_norm(&params, NULL),
                            NULL);
    }
    const limn_param *kept = &params.items[N_PARAMS - 1];
    const size_t size = kept->n * sizeof(float);
    assert_memory_equal(params.values + kept->offset, before.values + kept->offset, size);
    assert_memory_equal(adamw.average + kept->offset, before.values + kept->offset, size);
    limn_optimizer_finish(&adamw);
    limn_params_finish(&params);
    limn_params_finish(&before);
}

static void run_steps(limn_params *params, limn_optimizer *adamw, size_t n_threads)
{
    limn_pool *pool;
    assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
    make_params(params);
    assert_int_equal(limn_optimizer_init(adamw, &limn_adamw, params, NULL), LIMN_OK);
    for (uint64_t step = 0; step < N_STEPS; step++) {
        make_gradients(params, step);
        limn_optimizer_step(adamw, params, &settings, 0.02f, limn_gradient_norm(params, pool),
                            pool);
    }
    limn_pool_destroy(&pool);
}

static void test_threads_do_not_change_bits(void **state)
{
    limn_params one, other;
    limn_optimizer adamw_one, adamw_other;
    (void)state;
    run_steps(&one, &adamw_one, 1);
    for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
        run_steps(&other, &adamw_other, n_threads);
        assert_memory_equal(one.values, other.values, one.n_floats * sizeof(float));
        limn_optimizer_finish(&adamw_other);
        limn_params_finish(&other);
    }
    limn_optimizer_finish(&adamw_one);
    limn_params_finish(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_and_average_follow_the_formulas),
        cmocka_unit_test(test_the_defaults),
        cmocka_unit_test(test_the_smallest_gradients_are_clipped_as_in_pytorch),
        cmocka_unit_test(test_a_rate_of_zero_keeps_every_bit),
        cmocka_unit_test(test_threads_do_not_change_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* exp, log, erf and the GELUs of math_c.h against libm in double precision, over every 251st of all
 * floats. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/kernels/c/math_c.h"

typedef float function(float x);
typedef double exact_function(double x);
typedef double error_function(double value, double exact);

static double relative_error(double value, double exact)
{
    return fabs(value - exact) / fabs(exact);
}

static double absolute_error(double value, double exact)
{
    return fabs(value - exact);
}

/* Relative to the exact value where that is above 1. */
static double mixed_error(double value, double exact)
{
    return fabs(value - exact) / fmax(1.0, fabs(exact));
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The largest error over the finite floats from low to high. */
static double worst_error(function *f, exact_function *exact, error_function *error, float low,
                          float high)
{
    double worst = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 251) {
        const float x = float_of((uint32_t)bits);
        if (!(x >= low && x <= high)) continue;
        const double e = error((double)f(x), exact((double)x));
        assert_false(isnan(e));
        worst = e > worst ? e : worst;
    }
    return worst;
}

static double exact_gelu(double x)
{
    return x * erfc(-x * sqrt(0.5)) / 2;
}

static double exact_gelu_tanh(double x)
{
    const double z = sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x);
    return x / (1 + exp(-2 * z));
}

static double exact_quick_gelu(double x)
{
    return x / (1 + exp(-1.702 * x));
}

static void test_exp(void **state)
{
    (void)state;
    assert_true(worst_error(limn_expf, exp, relative_error, -87.33f, 88.37f) <= 2e-7);
    assert_true(limn_expf(0.0f) == 1.0f && limn_expf(-0.0f) == 1.0f);
    assert_true(limn_expf(-87.34f) == 0.0f && limn_expf(-INFINITY) == 0.0f);
    assert_true(limn_expf(INFINITY) == limn_expf(88.37f) && isfinite(limn_expf(88.37f)));
}

static void test_log(void **state)
{
    (void)state;
    assert_true(worst_error(limn_logf, log, mixed_error, 1.17549435e-38f, 3.4028235e38f) <= 1.5e-7);
    assert_true(limn_logf(1.0f) == 0.0f);
}

static void test_erf(void **state)
{
    (void)state;
    assert_true(worst_error(limn_erff, erf, absolute_error, -3.4e38f, 3.4e38f) <= 1e-7);
    assert_true(limn_erff(INFINITY) == 1.0f && limn_erff(-INFINITY) == -1.0f);
    assert_true(limn_erff(0.0f) == 0.0f && signbit(limn_erff(-0.0f)));
}

static void test_gelu(void **state)
{
    (void)state;
    assert_true(worst_error(limn_geluf, exact_gelu, mixed_error, -1e30f, 1e30f) <= 2.5e-7);
    assert_true(limn_geluf(0.0f) == 0.0f && limn_geluf(-1e30f) == 0.0f);
}

static void test_gates(void **state)
{
    (void)state;
    assert_true(worst_error(limn_gelu_tanhf, exact_gelu_tanh, mixed_error, -1e9f, 1e9f) <= 4e-7);
    assert_true(worst_error(limn_quick_geluf, exact_quick_gelu, mixed_error, -1e9f, 1e9f) <= 4e-7);
    assert_true(limn_gelu_tanhf(0.0f) == 0.0f && limn_quick_geluf(0.0f) == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),  cmocka_unit_test(test_log),   cmocka_unit_test(test_erf),
        cmocka_unit_test(test_gelu), cmocka_unit_test(test_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

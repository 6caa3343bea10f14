#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/rng.h"

enum { N_DRAWS = 100000 };

static void test_a_stream_is_a_function_of_seed_and_name(void **state)
{
    limn_rng a = limn_rng_stream(7, "photo.jpg", 9), b = limn_rng_stream(7, "photo.jpg", 9);
    limn_rng other_name = limn_rng_stream(7, "photo.png", 9);
    limn_rng other_seed = limn_rng_stream(8, "photo.jpg", 9);
    (void)state;
    for (int i = 0; i < 100; i++) {
        const uint64_t draw = limn_rng_next(&a);
        assert_true(draw == limn_rng_next(&b));
        assert_true(draw != limn_rng_next(&other_name));
        assert_true(draw != limn_rng_next(&other_seed));
    }
}

static void test_below_is_even(void **state)
{
    enum { SIDES = 6 };
    size_t counts[SIDES] = { 0 };
    double chi_square = 0;
    limn_rng rng = limn_rng_stream(1, "die", 3);
    (void)state;
    for (int i = 0; i < N_DRAWS; i++) counts[limn_rng_below(&rng, SIDES)]++;
    for (int i = 0; i < SIDES; i++) {
        const double d = (double)counts[i] - N_DRAWS / (double)SIDES;
        chi_square += d * d / (N_DRAWS / (double)SIDES);
    }
    assert_true(chi_square < 20.5); /* p = 0.001 for 5 degrees of freedom */
    assert_int_equal(limn_rng_below(&rng, 1), 0);
}

static void test_uniform_and_normal_have_their_moments(void **state)
{
    limn_rng rng = limn_rng_stream(1, "moments", 7);
    double sum = 0, normal_sum = 0, normal_squares = 0;
    (void)state;
    for (int i = 0; i < N_DRAWS; i++) {
        const double u = limn_rng_uniform(&rng), z = limn_rng_normal(&rng);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        normal_sum += z;
        normal_squares += z * z;
    }
    assert_true(sum / N_DRAWS > 0.496 && sum / N_DRAWS < 0.504);
    assert_true(normal_sum / N_DRAWS > -0.015 && normal_sum / N_DRAWS < 0.015);
    assert_true(normal_squares / N_DRAWS > 0.98 && normal_squares / N_DRAWS < 1.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_is_a_function_of_seed_and_name),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_uniform_and_normal_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

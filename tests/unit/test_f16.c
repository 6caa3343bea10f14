#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/kernels/pack.h"

static double f16_value(uint16_t h)
{
    const int exponent = (h >> 10) & 31, fraction = h & 1023;
    const double magnitude =
        exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

static void test_every_half_widens_exactly_and_comes_back(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = limn_f16_to_f32((uint16_t)h);
        if ((h & 0x7fff) > 0x7c00) {
            assert_true(isnan(f) && isnan(limn_f16_to_f32(limn_f32_to_f16(f))));
            continue;
        }
        if ((h & 0x7fff) == 0x7c00)
            assert_true(isinf(f));
        else
            assert_true((double)f == f16_value((uint16_t)h));
        assert_int_equal(limn_f32_to_f16(f), h);
    }
}

/* At the midpoint between neighbours and just beside it: rounds to nearest, ties to even. */
static void test_rounding_is_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        const double low = f16_value((uint16_t)h), high = f16_value((uint16_t)(h + 1));
        const float middle = (float)((low + high) / 2);
        assert_int_equal(limn_f32_to_f16(middle), h & 1 ? h + 1 : h);
        assert_int_equal(limn_f32_to_f16(nextafterf(middle, 0.0f)), h);
        assert_int_equal(limn_f32_to_f16(nextafterf(middle, 1e6f)), h + 1);
        assert_int_equal(limn_f32_to_f16(-middle), (h & 1 ? h + 1 : h) | 0x8000);
    }
    assert_int_equal(limn_f32_to_f16(65519.0f), 0x7bff);
    assert_int_equal(limn_f32_to_f16(65520.0f), 0x7c00);
}

static void test_rows_widen_as_single_halves(void **state)
{
    (void)state;
    static unsigned char row[2 * 65536 + 1]; /* at an odd address */
    static float wide[65536];
    for (uint32_t h = 0; h < 65536; h++) memcpy(row + 1 + 2 * h, &(uint16_t){ (uint16_t)h }, 2);
    limn_f16_row_to_f32(wide, row + 1, 65536);
    for (uint32_t h = 0; h < 65536; h++) {
        const float one = limn_f16_to_f32((uint16_t)h);
        assert_memory_equal(&wide[h], &one, sizeof one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_widens_exactly_and_comes_back),
        cmocka_unit_test(test_rounding_is_to_nearest_even),
        cmocka_unit_test(test_rows_widen_as_single_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

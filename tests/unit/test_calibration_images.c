/* How many images limn-convert --calibrate holds in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/convert/calibration_images.h"

static void test_pixels_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(limn_calibration_most_images(3), 512);
    assert_int_equal(limn_calibration_most_images((size_t)384 * 384 * 3), 512);
    assert_int_equal(limn_calibration_most_images((size_t)1024 * 1024 * 3), 85);
    assert_int_equal(limn_calibration_most_images((size_t)256 << 20), 1);
    assert_int_equal(limn_calibration_most_images(SIZE_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pixels_are_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

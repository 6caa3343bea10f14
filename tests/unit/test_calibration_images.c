/* How many images limn-convert --calibrate holds in memory, and which: the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/temp_folder.h"
#include "tools/convert/calibration_images.h"

static void test_pixels_are_bounded(void **state)
{
    const size_t most = LIMN_CALIBRATION_MAX_BYTES;
    (void)state;
    assert_int_equal(limn_calibration_most_images(3, most), 512);
    assert_int_equal(limn_calibration_most_images((size_t)384 * 384 * 3, most), 512);
    assert_int_equal(limn_calibration_most_images((size_t)1024 * 1024 * 3, most), 85);
    assert_int_equal(limn_calibration_most_images((size_t)256 << 20, most), 1);
    assert_int_equal(limn_calibration_most_images(SIZE_MAX, most), 1);
}

/* An image (PGM) of one grey. */
static void write_grey(const char *name, int grey)
{
    FILE *file = fopen(temp_path(name), "wb");
    assert_non_null(file);
    fprintf(file, "P5\n2 2\n255\n%c%c%c%c", grey, grey, grey, grey);
    assert_int_equal(fclose(file), 0);
}

/* Of four images that become one pixel, as many as have room. */
static void test_no_more_are_read(void **state)
{
    static const char *const names[] = { "a.pgm", "b.pgm", "c.pgm", "d.pgm" };
    static const struct {
        size_t max_bytes, n_images;
    } cases[] = { { 0, 1 }, { 3, 1 }, { 8, 2 }, { 9, 3 }, { 100, 4 } };
    const limn_input_spec spec = limn_input_square(1, LIMN_RESIZE_BILINEAR, 0.0f, 1.0f);
    (void)state;
    for (int i = 0; i < 4; i++) write_grey(names[i], i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_calibration_images images;
        assert_int_equal(
            limn_calibration_images_read(&images, temp_folder, &spec, cases[i].max_bytes, 2, NULL),
            LIMN_OK);
        assert_int_equal(images.n_images, cases[i].n_images);
        assert_memory_equal(images.pixels.bytes, "\0\0\0\1\1\1\2\2\2\3\3\3", 3 * images.n_images);
        assert_int_equal(images.pixels.size, 3 * images.n_images);
        limn_calibration_images_finish(&images);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pixels_are_bounded),
                                        cmocka_unit_test(test_no_more_are_read) };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

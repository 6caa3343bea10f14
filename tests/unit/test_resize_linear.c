/* Resizing that is not antialiased, against checksums of OpenCV 4.10's results for the same images
 * (tests/fixtures/make_resize_linear.py), and windows against the whole image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "common/image/resize.h"

static const struct {
    uint32_t width, height, new_width, new_height;
    uint64_t checksum;
} cases[] = {
    { 640, 427, 384, 256, 0x5a53ff0e86c8449c }, { 427, 640, 256, 384, 0xf0e018127197ef72 },
    { 31, 500, 256, 4129, 0x18d7be0956521148 }, { 97, 61, 224, 224, 0x541a2528dad808bf },
    { 1, 1, 5, 3, 0x675badb763b7c0e9 },         { 2, 300, 7, 11, 0x6ee3748a94c207fc },
    { 300, 200, 300, 100, 0x4b5402b46f99bb09 }, { 64, 64, 64, 64, 0x273a52d5044eb293 },
    { 257, 301, 256, 300, 0xc002d6a36680d864 }, { 1000, 333, 31, 77, 0xb56408f2906e7214 },
};

static uint8_t *make_image(uint32_t width, uint32_t height)
{
    const size_t n = (size_t)width * height * 3;
    uint8_t *pixels = malloc(n);
    assert_non_null(pixels);
    for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)((uint32_t)i * 2654435761u >> 13);
    return pixels;
}

static uint8_t *resize(const limn_resize_window *window, const uint8_t *pixels, uint32_t width,
                       uint32_t height)
{
    const limn_resize_box box = { 0, 0, (float)width, (float)height };
    limn_resize_scratch scratch = { 0 };
    uint8_t *out = malloc((size_t)window->width * window->height * 3);
    assert_non_null(out);
    assert_int_equal(limn_resize_into_window(out, window, pixels, width, height, &box,
                                             LIMN_RESIZE_LINEAR, &scratch, NULL),
                     LIMN_OK);
    assert_null(scratch.block); /* no scratch memory is needed */
    return out;
}

static void test_pixels_are_opencvs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t w = cases[i].new_width, h = cases[i].new_height;
        const limn_resize_window whole = { w, h, 0, 0, w, h };
        uint8_t *pixels = make_image(cases[i].width, cases[i].height);
        uint8_t *out = resize(&whole, pixels, cases[i].width, cases[i].height);
        if (limn_fnv1a64(LIMN_FNV1A64_INIT, out, (size_t)w * h * 3) != cases[i].checksum)
            fail_msg("%u x %u to %u x %u differs", cases[i].width, cases[i].height, w, h);
        free(pixels);
        free(out);
    }
}

static void test_a_window_is_a_part_of_the_whole(void **state)
{
    const limn_resize_window whole = { 90, 70, 0, 0, 90, 70 }, window = { 90, 70, 13, 9, 50, 61 };
    uint8_t *pixels = make_image(201, 133);
    uint8_t *all = resize(&whole, pixels, 201, 133), *part = resize(&window, pixels, 201, 133);
    (void)state;
    for (size_t y = 0; y < window.height; y++)
        assert_memory_equal(part + y * window.width * 3,
                            all + ((y + window.top) * whole.width + window.left) * 3,
                            window.width * 3);
    free(pixels);
    free(all);
    free(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_opencvs),
        cmocka_unit_test(test_a_window_is_a_part_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "models/train/augment.h"
#include "tests/unit/image_fixtures.h"

enum { SIDE = 24, N_BYTES = SIDE * SIDE * 3 };

/* The pixels that make_augment.py gives to Pillow. */
static void make_noise(uint8_t pixels[N_BYTES], unsigned divisor)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < N_BYTES; i++) {
        state = state * 1103515245u + 12345u;
        pixels[i] = (uint8_t)((state >> 24) / divisor);
    }
}

static void adjust(uint8_t pixels[N_BYTES], const char *change, float factor)
{
    if (!strcmp(change, "brightness"))
        limn_adjust_brightness(pixels, SIDE * SIDE, factor);
    else if (!strcmp(change, "contrast"))
        limn_adjust_contrast(pixels, SIDE * SIDE, factor);
    else
        limn_adjust_saturation(pixels, SIDE * SIDE, factor);
}

static void test_colours_change_as_pillow_s_do(void **state)
{
    FILE *table = fopen(source_path("tests/data/train", "augment.tsv"), "r");
    char line[256], *columns[4];
    int n_lines = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 4); n_lines++) {
        uint8_t pixels[N_BYTES];
        make_noise(pixels, strcmp(columns[0], "dark") ? 1 : 5);
        adjust(pixels, columns[1], strtof(columns[2], NULL));
        if (limn_fnv1a64(LIMN_FNV1A64_INIT, pixels, N_BYTES) != strtoull(columns[3], NULL, 16))
            fail_msg("%s, %s %s: other pixels than Pillow's", columns[0], columns[1], columns[2]);
    }
    assert_int_equal(n_lines, 78);
    fclose(table);
}

static void test_flipping_mirrors_each_row(void **state)
{
    uint8_t even[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    static const uint8_t flipped[] = { 4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9 };
    uint8_t odd[27], again[27];
    (void)state;
    limn_flip_pixels(even, 2);
    assert_memory_equal(even, flipped, sizeof even);
    for (uint8_t i = 0; i < 27; i++) odd[i] = again[i] = i;
    limn_flip_pixels(again, 3);
    assert_memory_equal(again, odd + 6, 3);
    assert_memory_equal(again + 12, odd + 12, 3);
    limn_flip_pixels(again, 3);
    assert_memory_equal(again, odd, sizeof odd);
}

/* Crops are whole pixels inside the image; area and aspect are within bounds, up to rounding; the
 * whole range is reached, and every corner. */
static void test_crops_are_within_their_bounds(void **state)
{
    enum { SIZE = 224 };
    const limn_augment_settings s = limn_augment_settings_default();
    limn_rng rng = limn_rng_stream(1, "crops", 5);
    double min_area = 1, max_area = 0, min_aspect = 9, max_aspect = 0;
    bool at_left = false, at_right = false, at_top = false, at_bottom = false;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        const limn_resize_box b = limn_draw_crop(SIZE, &s, &rng);
        const double width = (double)b.right - (double)b.left;
        const double height = (double)b.bottom - (double)b.top;
        assert_true(b.left >= 0 && b.top >= 0 && b.right <= SIZE && b.bottom <= SIZE);
        assert_true(floor(width) == width && floor((double)b.left) == (double)b.left);
        min_area = fmin(min_area, width * height / (SIZE * SIZE));
        max_area = fmax(max_area, width * height / (SIZE * SIZE));
        min_aspect = fmin(min_aspect, width / height);
        max_aspect = fmax(max_aspect, width / height);
        at_left |= b.left == 0 && b.right < SIZE;
        at_right |= b.left > 0 && b.right == SIZE;
        at_top |= b.top == 0 && b.bottom < SIZE;
        at_bottom |= b.top > 0 && b.bottom == SIZE;
    }
    assert_true(min_area > 0.69 && min_area < 0.71 && max_area > 0.97);
    assert_true(min_aspect > 0.79 && min_aspect < 0.82 && max_aspect < 1.26 && max_aspect > 1.22);
    assert_true(at_left && at_right && at_top && at_bottom);
}

static void test_a_crop_that_never_fits_is_the_whole_image(void **state)
{
    limn_augment_settings s = limn_augment_settings_default();
    limn_rng rng = limn_rng_stream(1, "", 0);
    (void)state;
    s.min_area = s.max_area = 1;
    s.min_aspect = 2;
    s.max_aspect = 3;
    const limn_resize_box b = limn_draw_crop(SIDE, &s, &rng);
    assert_true(b.left == 0 && b.top == 0 && b.right == SIDE && b.bottom == SIDE);
}

static void augment(uint8_t out[N_BYTES], const limn_augment_settings *s, const char *name)
{
    limn_resize_scratch scratch = { 0 };
    limn_rng rng = limn_rng_stream(9, name, strlen(name));
    uint8_t src[N_BYTES];
    make_noise(src, 1);
    assert_int_equal(limn_augment(out, src, SIDE, s, &rng, &scratch, NULL), LIMN_OK);
    limn_resize_scratch_finish(&scratch);
}

/* All augmentations together equal their parts, each turned on by itself. */
static void test_the_parts_make_the_whole(void **state)
{
    limn_augment_settings s = { .min_area = 0.5f,
                                .max_area = 0.6f,
                                .min_aspect = 1,
                                .max_aspect = 1,
                                .flip = 1,
                                .filter = LIMN_RESIZE_BICUBIC };
    uint8_t src[N_BYTES], expected[N_BYTES], out[N_BYTES];
    limn_resize_scratch scratch = { 0 };
    limn_rng rng = limn_rng_stream(9, "a", 1);
    (void)state;
    make_noise(src, 1);
    const limn_resize_box box = limn_draw_crop(SIDE, &s, &rng);
    limn_resize_part(expected, SIDE, SIDE, src, SIDE, SIDE, &box, s.filter, &scratch, NULL);
    limn_flip_pixels(expected, SIDE);
    augment(out, &s, "a");
    assert_memory_equal(out, expected, N_BYTES);

    s.min_area = s.max_area = 1; /* the whole image, never flipped */
    s.flip = 0;
    augment(out, &s, "a");
    assert_memory_equal(out, src, N_BYTES);
    s.brightness = 1;
    augment(out, &s, "a");
    assert_memory_not_equal(out, src, N_BYTES);
    limn_resize_scratch_finish(&scratch);
}

/* Half of the images are flipped, brightness lies in its range on both sides of 1, and the order of
 * changes varies: the stream alone determines all of it. */
static void test_what_is_drawn_depends_on_the_stream(void **state)
{
    limn_augment_settings s = {
        .min_area = 1, .max_area = 1, .min_aspect = 1, .max_aspect = 1, .flip = 0.5f
    };
    uint8_t src[N_BYTES], flipped[N_BYTES], out[N_BYTES], again[N_BYTES];
    size_t n_flipped = 0;
    char name[16];
    (void)state;
    make_noise(src, 1);
    memcpy(flipped, src, N_BYTES);
    limn_flip_pixels(flipped, SIDE);
    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "p%d", i);
        augment(out, &s, name);
        if (memcmp(out, src, N_BYTES) != 0) {
            assert_memory_equal(out, flipped, N_BYTES);
            n_flipped++;
        }
    }
    assert_in_range(n_flipped, 160, 240);
    s = limn_augment_settings_default();
    augment(out, &s, "x");
    augment(again, &s, "x");
    assert_memory_equal(out, again, N_BYTES);
    augment(again, &s, "y");
    assert_memory_not_equal(out, again, N_BYTES);
}

/* This holds for any order drawn. A factor close to 1 may leave all pixels as they are. */
static void test_each_colour_change_is_made_once(void **state)
{
    static const limn_augment_settings none = {
        .min_area = 1, .max_area = 1, .min_aspect = 1, .max_aspect = 1
    };
    limn_augment_settings each[] = { none, none, none };
    uint8_t src[N_BYTES], out[N_BYTES];
    (void)state;
    make_noise(src, 1);
    each[0].brightness = each[1].contrast = each[2].saturation = 0.9f;
    for (int i = 0; i < 3; i++) {
        size_t n_changed = 0;
        for (int k = 0; k < 30; k++) {
            char name[16];
            snprintf(name, sizeof name, "p%d", k);
            augment(out, &each[i], name);
            n_changed += memcmp(out, src, N_BYTES) != 0;
        }
        assert_in_range(n_changed, 28, 30);
    }
}

static void test_sides_out_of_range_are_refused(void **state)
{
    const limn_augment_settings s = limn_augment_settings_default();
    limn_resize_scratch scratch = { 0 };
    limn_rng rng = { 0 };
    uint8_t out[3], in[3] = { 0 };
    (void)state;
    assert_int_equal(limn_augment(out, in, 0, &s, &rng, &scratch, NULL), LIMN_E_ARG);
    assert_int_equal(limn_augment(out, in, 65536, &s, &rng, &scratch, NULL), LIMN_E_ARG);
    assert_int_equal(limn_augment(out, in, 1, &s, &rng, &scratch, NULL), LIMN_OK);
    limn_resize_scratch_finish(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours_change_as_pillow_s_do),
        cmocka_unit_test(test_flipping_mirrors_each_row),
        cmocka_unit_test(test_crops_are_within_their_bounds),
        cmocka_unit_test(test_a_crop_that_never_fits_is_the_whole_image),
        cmocka_unit_test(test_the_parts_make_the_whole),
        cmocka_unit_test(test_what_is_drawn_depends_on_the_stream),
        cmocka_unit_test(test_each_colour_change_is_made_once),
        cmocka_unit_test(test_sides_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

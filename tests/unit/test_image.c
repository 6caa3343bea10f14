#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/image/decode.h"
#include "common/image/image.h"
#include "common/io/fileio.h"
#include "common/io/safetensors.h"
#include "tests/unit/image_fixtures.h"

#define MAX_FILE_SIZE (1u << 20)

static limn_status decode(limn_image *image, const char *folder, const char *name,
                          const limn_image_settings *settings, limn_error *err)
{
    limn_file_bytes file;
    limn_status s;
    assert_int_equal(limn_file_bytes_read(&file, source_path(folder, name), MAX_FILE_SIZE, NULL),
                     LIMN_OK);
    s = limn_image_decode(image, file.bytes, file.size, settings, err);
    limn_file_bytes_free(&file);
    return s;
}

static uint64_t hash_pixels(const limn_image *image)
{
    return limn_fnv1a64(LIMN_FNV1A64_INIT, image->pixels, (size_t)image->width * image->height * 3);
}

static uint64_t hash_resized(const limn_image *image)
{
    uint8_t pixels[13 * 11 * 3];
    limn_resize_scratch scratch = { 0 };
    assert_int_equal(limn_image_resize(pixels, 13, 11, image, LIMN_RESIZE_BICUBIC, &scratch, NULL),
                     LIMN_OK);
    limn_resize_scratch_finish(&scratch);
    return limn_fnv1a64(LIMN_FNV1A64_INIT, pixels, sizeof pixels);
}

/* Whether the file gives the size and the hash in columns[0..2], and, if there are four columns,
 * the resized hash in the last. */
static bool is_as_expected(const char *name, const limn_image_settings *settings, char **columns,
                           int n_columns)
{
    limn_image image;
    limn_error err = { 0 };
    bool is_good = false;
    if (decode(&image, "tests/data/images", name, settings, &err)) {
        print_error("%s: %s\n", name, err.text);
        return false;
    }
    if (image.width != (uint32_t)atoi(columns[0]) || image.height != (uint32_t)atoi(columns[1]))
        print_error("%s: %u x %u pixels, not %s x %s\n", name, image.width, image.height,
                    columns[0], columns[1]);
    else if (hash_pixels(&image) != strtoull(columns[2], NULL, 16))
        print_error("%s: other pixels\n", name);
    else if (n_columns > 3 && hash_resized(&image) != strtoull(columns[3], NULL, 16))
        print_error("%s, hint %u: other pixels resized\n", name, settings->min_side_hint);
    else
        is_good = true;
    limn_image_finish(&image);
    return is_good;
}

static void test_images_have_the_expected_pixels(void **state)
{
    limn_image_settings settings = limn_image_settings_default();
    FILE *table = fopen(source_path("tests/data/images", "expected.tsv"), "r");
    char line[256], *columns[4];
    int n_lines = 0, n_wrong = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 4); n_lines++)
        n_wrong += !is_as_expected(columns[0], &settings, columns + 1, 3);
    fclose(table);
    assert_int_equal(n_wrong, 0);
    assert_true(n_lines > 100);
}

static void test_large_jpegs_are_reduced_down_to_twice_the_hint(void **state)
{
    limn_image_settings settings = limn_image_settings_default();
    FILE *table = fopen(source_path("tests/data/images", "reduced.tsv"), "r");
    char line[256], *columns[6];
    int n_lines = 0, n_wrong = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 6); n_lines++) {
        settings.min_side_hint = (uint32_t)atoi(columns[1]);
        n_wrong += !is_as_expected(columns[0], &settings, columns + 2, 4);
    }
    fclose(table);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(n_lines, 48);
}

static bool is_refused(char **columns, const limn_image_settings *settings)
{
    limn_image image;
    limn_error err = { 0 };
    limn_status s = decode(&image, "tests/data/bad", columns[0], settings, &err);
    bool is_right = s == err.code && strcmp(limn_status_name(s), columns[1]) == 0 &&
                    strcmp(err.text, columns[2]) == 0;
    if (!is_right) print_error("%s: %s: %s\n", columns[0], limn_status_name(s), err.text);
    assert_true(s == LIMN_OK || !image.pixels);
    limn_image_finish(&image);
    return is_right;
}

static void test_bad_files_are_refused_with_telling_texts(void **state)
{
    limn_image_settings settings = limn_image_settings_default();
    FILE *table = fopen(source_path("tests/data/bad", "expected.tsv"), "r");
    char line[512], *columns[3];
    int n_lines = 0, n_wrong = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 3); n_lines++)
        n_wrong += !is_refused(columns, &settings);
    fclose(table);
    assert_int_equal(n_wrong, 0);
    assert_true(n_lines > 60);
}

/* Cut anywhere, an image is an error or, if only what follows the pixels is lost, the same
 * image. */
static void test_no_prefix_of_an_image_gives_other_pixels(void **state)
{
    static const char *const names[] = { "rgb420.jpg",       "rgb420_progressive.jpg",
                                         "cmyk.jpg",         "rgb8_interlaced.png",
                                         "lossy_alpha.webp", "lossless.webp",
                                         "interlaced.gif",   "rgb24.bmp",
                                         "rgb.ppm" };
    limn_image_settings settings = limn_image_settings_default();
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        limn_file_bytes file;
        limn_image whole, image;
        assert_int_equal(limn_file_bytes_read(&file, source_path("tests/data/images", names[i]),
                                              MAX_FILE_SIZE, NULL),
                         LIMN_OK);
        assert_int_equal(limn_image_decode(&whole, file.bytes, file.size, &settings, NULL),
                         LIMN_OK);
        for (size_t size = 0; size < file.size; size++)
            if (limn_image_decode(&image, file.bytes, size, &settings, NULL) == LIMN_OK) {
                assert_int_equal(image.width, whole.width);
                assert_int_equal(image.height, whole.height);
                assert_memory_equal(image.pixels, whole.pixels,
                                    (size_t)whole.width * whole.height * 3);
                limn_image_finish(&image);
            }
        limn_image_finish(&whole);
        limn_file_bytes_free(&file);
    }
}

static void test_limits_are_those_of_the_settings(void **state)
{
    limn_image_settings settings = limn_image_settings_default();
    limn_image image;
    limn_error err = { 0 };
    (void)state;
    settings.max_pixels = 45 * 31;
    settings.max_side = 45;
    settings.min_side = 31;
    assert_int_equal(decode(&image, "tests/data/images", "rgb8.png", &settings, NULL), LIMN_OK);
    limn_image_finish(&image);
    assert_null(image.pixels);
    settings.max_pixels--;
    assert_int_equal(decode(&image, "tests/data/images", "rgb420.jpg", &settings, &err),
                     LIMN_E_LIMIT);
    assert_string_equal(err.text, "JPEG: 45 x 31 pixels exceed the limit of 1394 pixels");
    settings = limn_image_settings_default();
    settings.max_side = 44;
    assert_int_equal(decode(&image, "tests/data/images", "lossy.webp", &settings, NULL),
                     LIMN_E_LIMIT);
    settings = limn_image_settings_default();
    settings.min_side = 1;
    assert_int_equal(decode(&image, "tests/data/bad", "1x1.png", &settings, NULL), LIMN_OK);
    limn_image_finish(&image);
}

/* Photo `name` against the tensor "INDEX.pixels", which Pillow decoded. */
static void check_reference_pixels(const limn_safetensors *tensors, int index, const char *name)
{
    limn_image_settings settings = limn_image_settings_default();
    limn_image image;
    char tensor_name[16];
    const limn_tensor *expected;
    snprintf(tensor_name, sizeof tensor_name, "%d.pixels", index);
    expected = limn_safetensors_find(tensors, tensor_name);
    assert_non_null(expected);
    assert_int_equal(expected->n_dims, 3);
    assert_int_equal(decode(&image, "../shared/data/flickr8k/images", name, &settings, NULL),
                     LIMN_OK);
    assert_int_equal(image.height, expected->shape[0]);
    assert_int_equal(image.width, expected->shape[1]);
    assert_memory_equal(image.pixels, expected->data, expected->size);
    limn_image_finish(&image);
}

static void test_reference_photos_have_the_reference_pixels(void **state)
{
    FILE *names = fopen(source_path("../shared/data/flickr8k", "dev.txt"), "r");
    const char *tensors_path = source_path("../shared/reference", "tensors.safetensors");
    limn_safetensors *tensors;
    char name[256];
    (void)state;
    if (!names) {
        print_message("SKIP: ../shared is not here\n");
        skip();
    }
    assert_int_equal(limn_safetensors_open(&tensors, tensors_path, NULL), LIMN_OK);
    for (int i = 0; i < 2; i++) {
        assert_non_null(fgets(name, sizeof name, names));
        name[strcspn(name, "\n")] = '\0';
        check_reference_pixels(tensors, i, name);
    }
    limn_safetensors_close(&tensors);
    fclose(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_have_the_expected_pixels),
        cmocka_unit_test(test_large_jpegs_are_reduced_down_to_twice_the_hint),
        cmocka_unit_test(test_bad_files_are_refused_with_telling_texts),
        cmocka_unit_test(test_no_prefix_of_an_image_gives_other_pixels),
        cmocka_unit_test(test_limits_are_those_of_the_settings),
        cmocka_unit_test(test_reference_photos_have_the_reference_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

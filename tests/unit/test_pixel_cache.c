#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/train/pixel_cache.h"
#include "tests/unit/cache_rows.h"
#include "tests/unit/image_files.h"

enum { SIZE = 16 };

static limn_pixel_cache_settings settings_of(const limn_image_names *names)
{
    return (limn_pixel_cache_settings){
        .folder = temp_folder,
        .names = names,
        .input = { limn_input_square(SIZE, LIMN_RESIZE_BICUBIC, 0, 1), 1000000 },
    };
}

static int clear_folder(void **state)
{
    temp_folder_teardown(state);
    return temp_folder_setup(state);
}

/* The pixels of a file as the encoder gets them. */
static void load(uint8_t *out, const char *name)
{
    const limn_encoder_input_settings input = { limn_input_square(SIZE, LIMN_RESIZE_BICUBIC, 0, 1),
                                                1000000 };
    limn_resize_scratch scratch = { 0 };
    unsigned char *bytes;
    size_t size;
    assert_int_equal(limn_file_read(&bytes, &size, temp_path(name), 1 << 20, NULL), LIMN_OK);
    assert_int_equal(limn_encoder_input_load(out, bytes, size, &input, &scratch, NULL, NULL, NULL),
                     LIMN_OK);
    limn_resize_scratch_finish(&scratch);
    limn_free(bytes);
}

static void assert_row_is(const limn_pixel_cache *c, const char *name)
{
    uint8_t expected[SIZE * SIZE * 3];
    const uint32_t row = limn_image_names_find(&c->rows.names, name);
    assert_int_not_equal(row, LIMN_NO_IMAGE);
    load(expected, name);
    assert_memory_equal(row_of(&c->rows, row), expected, sizeof expected);
    assert_true(c->rows.checksums[row] ==
                limn_fnv1a64(LIMN_FNV1A64_INIT, expected, sizeof expected));
}

static void test_rows_are_the_encoder_s_input_in_order(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_pixel_cache c;
    (void)state;
    write_images(&names, 150); /* more than a block */
    assert_int_equal(limn_pool_create(&s.pool, 3, NULL), LIMN_OK);
    assert_int_equal(limn_pixel_cache_make(&c, temp_path("cache"), &s, NULL), LIMN_OK);
    assert_true(c.was_made);
    assert_int_equal(c.rows.n_rows, 150);
    assert_int_equal(c.n_unreadable, 0);
    for (size_t i = 0; i < 150; i++) {
        assert_string_equal(limn_image_names_get(&c.rows.names, i),
                            limn_image_names_get(&names, i));
        assert_row_is(&c, limn_image_names_get(&names, i));
    }
    limn_pixel_cache_close(&c);
    limn_pool_destroy(&s.pool);
    limn_image_names_finish(&names);
}

static bool make(limn_pixel_cache *c, const limn_pixel_cache_settings *s, limn_error *err)
{
    *err = (limn_error){ 0 };
    return limn_pixel_cache_make(c, temp_path("cache"), s, err) == LIMN_OK;
}

static void set_time(const char *name, long seconds)
{
    const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, temp_path(name), times, 0), 0);
}

/* The cache is made again exactly when something has changed. */
static void test_a_cache_is_reused_until_something_changes(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 3);
    for (int i = 0; i < 2; i++) {
        assert_true(make(&c, &s, &err));
        assert_int_equal(c.was_made, i == 0);
        limn_pixel_cache_close(&c);
    }
    write_image("p1.ppm", 20, 24, 1); /* other pixels, same size */
    set_time("p1.ppm", 1000);
    assert_true(make(&c, &s, &err));
    assert_true(c.was_made);
    assert_row_is(&c, "p1.ppm");
    limn_pixel_cache_close(&c);

    write_image("new.ppm", 9, 9, 0);
    limn_image_names_add(&names, "new.ppm", NULL);
    assert_true(make(&c, &s, &err) && c.was_made && c.rows.n_rows == 4);
    limn_pixel_cache_close(&c);

    s.input.spec.filter = LIMN_RESIZE_BILINEAR;
    assert_true(make(&c, &s, &err) && c.was_made);
    limn_pixel_cache_close(&c);
    s.input.spec.width = s.input.spec.height = 17;
    assert_true(make(&c, &s, &err) && c.was_made && c.size == 17);
    limn_pixel_cache_close(&c);
    remove(temp_path("p0.ppm")); /* cached images need not exist any more */
    assert_true(make(&c, &s, &err) && !c.was_made);
    limn_pixel_cache_close(&c);
    limn_image_names_finish(&names);
}

/* Truncated files, a record of something else, leftovers of a kill between two renames. */
static void test_a_damaged_cache_is_made_again(void **state)
{
    static const struct {
        const char *file, *bytes;
    } damages[] = {
        { "cache.npy", "\x93NUMPY" },
        { "cache.npy", "" },
        { "cache.txt", "p0.ppm\n" },
        { "cache.txt", "p0.ppm\np0.ppm\np2.ppm\n" },
        { "cache.txt", "p0.ppm\np2.ppm\np1.ppm\n" }, /* pixels under the wrong name */
        { "cache.json", "{" },
        { "cache.json", "{\"rows\": []}" },
    };
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 3);
    assert_true(make(&c, &s, &err));
    limn_pixel_cache_close(&c);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        limn_file_replace(temp_path(damages[i].file), damages[i].bytes, strlen(damages[i].bytes),
                          NULL);
        assert_true(make(&c, &s, &err) && c.was_made && c.rows.n_rows == 3);
        limn_pixel_cache_close(&c);
    }
    remove(temp_path("cache.npy"));
    assert_true(make(&c, &s, &err) && c.was_made);
    limn_pixel_cache_close(&c);
    limn_image_names_finish(&names);
}

/* Flips a bit of the file, at an offset from its end. */
static void flip(const char *name, long from_end)
{
    FILE *file = fopen(temp_path(name), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    const int c = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(c ^ 4, file);
    assert_int_equal(fclose(file), 0);
}

static void test_altered_pixels_are_an_error_when_they_are_read(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    uint8_t row[SIZE * SIZE * 3];
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 3);
    assert_true(make(&c, &s, &err));
    flip("cache.npy", 1);
    for (int i = 0; i < 2; i++) { /* while it is open, and opened afterwards */
        assert_int_equal(limn_pixel_cache_read(&c, 1, row, NULL), LIMN_OK);
        assert_int_equal(limn_pixel_cache_read(&c, 2, row, &err), LIMN_E_FORMAT);
        assert_non_null(strstr(err.text, "cache.npy: the row of p2.ppm was altered"));
        limn_pixel_cache_close(&c);
        assert_true(make(&c, &s, &err) && !c.was_made);
    }
    assert_int_equal(truncate(temp_path("cache.npy"), 200), 0);
    assert_int_equal(limn_pixel_cache_read(&c, 2, row, &err), LIMN_E_TRUNCATED);
    limn_pixel_cache_close(&c);
    limn_image_names_finish(&names);
}

static void test_unreadable_images_are_left_out_and_told(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 199);
    limn_file_replace(temp_path("bad.jpg"), "hello, world, I am a text", 25, NULL);
    limn_image_names_add(&names, "bad.jpg", NULL);
    for (int i = 0; i < 2; i++) { /* made, then found */
        assert_true(make(&c, &s, &err));
        assert_int_equal(c.was_made, i == 0);
        assert_int_equal(c.rows.n_rows, 199);
        assert_int_equal(c.n_unreadable, 1);
        assert_string_equal(c.unreadable[0].name, "bad.jpg");
        assert_string_equal(c.unreadable[0].error, "this is text, not an image");
        assert_int_equal(limn_image_names_find(&c.rows.names, "bad.jpg"), LIMN_NO_IMAGE);
        limn_pixel_cache_close(&c);
    }
    write_image("bad.jpg", 9, 9, 0); /* repaired */
    assert_true(make(&c, &s, &err) && c.was_made && c.n_unreadable == 0);
    limn_pixel_cache_close(&c);

    for (int i = 0; i < 3; i++) { /* 3 of 202 */
        char name[16];
        snprintf(name, sizeof name, "bad%d.jpg", i);
        limn_file_replace(temp_path(name), "", 0, NULL);
        limn_image_names_add(&names, name, NULL);
    }
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "more than 1 % of 203 images can't be read; bad0.jpg: "));
    assert_int_not_equal(access(temp_path("cache.npy"), F_OK), 0);
    limn_image_names_finish(&names);
}

static void test_what_can_t_be_is_told_before_any_work(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
    write_images(&names, 2);
    limn_image_names_add(&names, "gone.jpg", NULL);
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_IO);
    assert_non_null(strstr(err.text, "/gone.jpg: No such file or directory"));
    limn_image_names_finish(&names);
    limn_image_names_add(&names, "a\nb.jpg", NULL);
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
    assert_int_equal(temp_n_files(), 2);
    limn_image_names_finish(&names);
}

static bool stop_at_64(void *ctx, size_t done, size_t total)
{
    size_t *last = ctx;
    assert_int_equal(total, 100);
    *last = done;
    return done < 64;
}

static void test_an_interrupted_cache_leaves_nothing(void **state)
{
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    size_t last = 0;
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 100);
    s.progress = (limn_train_progress){ stop_at_64, &last };
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_INTERRUPTED);
    assert_int_equal(last, 64);
    assert_int_equal(temp_n_files(), 100);
    limn_image_names_finish(&names);
}

/* A cache as limn-preprocess makes it: names are paths, and there is no record. */
static void test_a_cache_of_limn_preprocess_is_used_and_never_replaced(void **state)
{
    const limn_cache_shape shape = { LIMN_NPY_U8, 3, { SIZE, SIZE, 3 } };
    limn_image_names names = { 0 };
    limn_pixel_cache_settings s = settings_of(&names);
    limn_cache_writer *w;
    uint8_t row[SIZE * SIZE * 3];
    limn_pixel_cache c;
    limn_error err;
    (void)state;
    write_images(&names, 2);
    assert_int_equal(limn_cache_writer_open(&w, temp_path("cache"), &shape, false, NULL), LIMN_OK);
    load(row, "p1.ppm");
    limn_cache_writer_add(w, "photos/p1.ppm", row, NULL);
    load(row, "p0.ppm");
    limn_cache_writer_add(w, "photos/p0.ppm", row, NULL);
    assert_int_equal(limn_cache_writer_commit(&w, NULL), LIMN_OK);
    assert_true(make(&c, &s, &err) && !c.was_made);
    assert_row_is(&c, "p0.ppm");
    assert_row_is(&c, "p1.ppm");
    limn_pixel_cache_close(&c);
    write_images(&names, 3);
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_ARG);
    assert_non_null(strstr(err.text, "cache.npy: has no row for p2.ppm"));
    s.input.spec.width = s.input.spec.height = 17;
    assert_false(make(&c, &s, &err));
    assert_int_equal(err.code, LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "is u8 [n, 16, 16, 3], expected u8 [n, 17, 17, 3]"));
    limn_image_names_finish(&names);
}

static void test_a_name_twice_is_refused(void **state)
{
    const limn_cache_shape shape = { LIMN_NPY_U8, 3, { SIZE, SIZE, 3 } };
    const uint8_t row[SIZE * SIZE * 3] = { 0 };
    limn_cache_writer *w;
    limn_pixel_cache c;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_cache_writer_open(&w, temp_path("cache"), &shape, false, NULL), LIMN_OK);
    for (int i = 0; i < 2; i++) limn_cache_writer_add(w, "a.jpg", row, NULL);
    assert_int_equal(limn_cache_writer_commit(&w, NULL), LIMN_OK);
    assert_int_equal(limn_pixel_cache_open(&c, temp_path("cache"), SIZE, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "cache.txt: line 2: a.jpg is listed twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rows_are_the_encoder_s_input_in_order, clear_folder),
        cmocka_unit_test_setup(test_a_cache_is_reused_until_something_changes, clear_folder),
        cmocka_unit_test_setup(test_a_damaged_cache_is_made_again, clear_folder),
        cmocka_unit_test_setup(test_altered_pixels_are_an_error_when_they_are_read, clear_folder),
        cmocka_unit_test_setup(test_unreadable_images_are_left_out_and_told, clear_folder),
        cmocka_unit_test_setup(test_what_can_t_be_is_told_before_any_work, clear_folder),
        cmocka_unit_test_setup(test_an_interrupted_cache_leaves_nothing, clear_folder),
        cmocka_unit_test_setup(test_a_cache_of_limn_preprocess_is_used_and_never_replaced,
                               clear_folder),
        cmocka_unit_test_setup(test_a_name_twice_is_refused, clear_folder),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/train/image_names.h"
#include "tests/unit/temp_folder.h"

static void add_all(limn_image_names *n, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        assert_int_equal(limn_image_names_add(n, names[i], NULL), LIMN_OK);
}

static void test_a_name_is_found_by_more_or_less_of_its_path(void **state)
{
    static const char *const names[] = { "a.jpg", "x/b.jpg", "1/c.jpg", "2/c.jpg", "2/2/c.jpg" };
    static const struct {
        const char *name;
        uint32_t index;
    } cases[] = {
        { "a.jpg", 0 },
        { "photos/a.jpg", 0 },
        { "./a.jpg", 0 },
        { "b.jpg", 1 },
        { "x/b.jpg", 1 },
        { "/home/x/b.jpg", 1 },
        { "y/b.jpg", LIMN_NO_IMAGE },
        { "xx/b.jpg", LIMN_NO_IMAGE },
        { "c.jpg", LIMN_NO_IMAGE },
        /* which of three? */ { "1/c.jpg", 2 },
        { "0/1/c.jpg", 2 },
        { "0/2/c.jpg", 3 },
        { "0/2/2/c.jpg", LIMN_NO_IMAGE },
        { "2/c.jpg", 3 },
        { "2/2/c.jpg", 4 },
        { "ba.jpg", LIMN_NO_IMAGE },
        { "", LIMN_NO_IMAGE },
    };
    limn_image_names n = { 0 };
    (void)state;
    assert_int_equal(limn_image_names_find(&n, "a.jpg"), LIMN_NO_IMAGE);
    add_all(&n, names, 5);
    add_all(&n, names, 2); /* again */
    assert_int_equal(limn_image_names_count(&n), 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(limn_image_names_find(&n, cases[i].name), cases[i].index);
    limn_image_names_finish(&n);
    limn_image_names_finish(&n);
}

static void test_a_record_is_found_by_id_or_alias(void **state)
{
    static const char *const names[] = { "COCO_7.jpg", "9" };
    const limn_caption_record both = { .id = "7", .alias = "COCO_7.jpg" }, id = { .id = "9" },
                              none = { .id = "8", .alias = "COCO_8.jpg" };
    limn_image_names n = { 0 };
    (void)state;
    add_all(&n, names, 2);
    assert_int_equal(limn_image_names_find_record(&n, &both), 0);
    assert_int_equal(limn_image_names_find_record(&n, &id), 1);
    assert_int_equal(limn_image_names_find_record(&n, &none), LIMN_NO_IMAGE);
    limn_image_names_finish(&n);
}

static void test_images_of_a_caption_file_have_the_names_of_files(void **state)
{
    limn_caption_record records[] = {
        { .id = "b.jpg" }, { .id = "7", .alias = "COCO_7.jpg" },
        { .id = "b.jpg" }, { .id = "a.jpg", .alias = "12" },
        { .id = "x" },
    };
    const limn_caption_file file = { .records = records, .n_records = 5 };
    limn_image_names n = { 0 };
    (void)state;
    assert_int_equal(limn_image_names_add_captions(&n, &file, NULL), LIMN_OK);
    assert_int_equal(limn_image_names_count(&n), 4);
    assert_string_equal(limn_image_names_get(&n, 0), "b.jpg");
    assert_string_equal(limn_image_names_get(&n, 1), "COCO_7.jpg");
    assert_string_equal(limn_image_names_get(&n, 2), "a.jpg");
    assert_string_equal(limn_image_names_get(&n, 3), "x");
    limn_image_names_finish(&n);
}

static limn_status read_list(limn_image_names *n, const char *bytes, size_t size, limn_error *err)
{
    *err = (limn_error){ 0 };
    limn_file_replace(temp_path("list"), bytes, size, NULL);
    return limn_image_names_read(n, temp_path("list"), err);
}

static void test_lists_are_lines(void **state)
{
    static const char list[] = "b c.jpg\r\n\nx/a.jpg\nb c.jpg\nlast";
    limn_image_names n = { 0 };
    limn_error err;
    (void)state;
    assert_int_equal(read_list(&n, list, sizeof list - 1, &err), LIMN_OK);
    assert_int_equal(limn_image_names_count(&n), 3);
    assert_string_equal(limn_image_names_get(&n, 0), "b c.jpg");
    assert_string_equal(limn_image_names_get(&n, 2), "last");
    assert_int_equal(read_list(&n, "a\0b", 3, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "/list: byte 2 is NUL"));
    assert_int_equal(read_list(&n, "\n\n", 2, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "/list: no name in it"));
    assert_int_equal(limn_image_names_read(&n, temp_path("gone"), NULL), LIMN_E_IO);
    limn_image_names_finish(&n);
}

/* Names p0.jpg … in `folder`, the last one first. */
static void make_names(limn_image_names *n, const char *folder, int n_names)
{
    for (int i = n_names; i-- > 0;) {
        char name[64];
        snprintf(name, sizeof name, "%sp%d.jpg", folder, i);
        limn_image_names_add(n, name, NULL);
    }
}

static void test_a_split_depends_on_names_and_seed_alone(void **state)
{
    limn_image_names some = { 0 }, more = { 0 }, train = { 0 }, dev = { 0 }, train2 = { 0 },
                     dev2 = { 0 }, train3 = { 0 }, dev3 = { 0 };
    size_t n_moved = 0;
    (void)state;
    make_names(&some, "", 1000);
    make_names(&more, "folder/", 2000);
    assert_int_equal(limn_image_names_split(&train, &dev, &some, 0.1, 7, NULL), LIMN_OK);
    assert_int_equal(limn_image_names_split(&train2, &dev2, &more, 0.1, 7, NULL), LIMN_OK);
    assert_int_equal(limn_image_names_split(&train3, &dev3, &some, 0.1, 8, NULL), LIMN_OK);
    assert_int_equal(limn_image_names_count(&train) + limn_image_names_count(&dev), 1000);
    assert_in_range(limn_image_names_count(&dev), 70, 130);
    for (size_t i = 0; i < limn_image_names_count(&dev); i++) {
        const char *name = limn_image_names_get(&dev, i);
        assert_int_not_equal(limn_image_names_find(&dev2, name), LIMN_NO_IMAGE);
        n_moved += limn_image_names_find(&dev3, name) == LIMN_NO_IMAGE;
    }
    assert_true(n_moved > limn_image_names_count(&dev) / 2);
    limn_image_names_finish(&some);
    limn_image_names_finish(&more);
    limn_image_names_finish(&train);
    limn_image_names_finish(&dev);
    limn_image_names_finish(&train2);
    limn_image_names_finish(&dev2);
    limn_image_names_finish(&train3);
    limn_image_names_finish(&dev3);
}

static void test_a_stream_is_of_image_use_and_number(void **state)
{
    static const struct {
        uint64_t seed;
        const char *name, *use;
        uint64_t number;
    } others[] = {
        { 2, "x/a.jpg", "view", 3 },
        { 1, "x/b.jpg", "view", 3 },
        { 1, "x/a.jpg", "draw", 3 },
        { 1, "x/a.jpg", "view", 4 },
    };
    limn_rng rng = limn_image_rng(1, "x/a.jpg", "view", 3), same;
    const uint64_t draw = limn_rng_next(&rng);
    (void)state;
    same = limn_image_rng(1, "y/z/a.jpg", "view", 3);
    assert_true(limn_rng_next(&same) == draw);
    for (size_t i = 0; i < 4; i++) {
        rng = limn_image_rng(others[i].seed, others[i].name, others[i].use, others[i].number);
        assert_true(limn_rng_next(&rng) != draw);
    }
}

static void assert_path(const char *folder, const char *name, const char *expected)
{
    char *path;
    assert_int_equal(limn_image_path(&path, folder, name, NULL), LIMN_OK);
    assert_string_equal(path, expected);
    limn_free(path);
}

static void test_paths_and_what_is_there(void **state)
{
    static const char *const names[] = { "gone.jpg", "there.jpg", "folder" };
    limn_image_names all = { 0 }, present = { 0 };
    (void)state;
    assert_path("a", "b/c.jpg", "a/b/c.jpg");
    assert_path("a/", "c.jpg", "a/c.jpg");
    assert_path("/", "c.jpg", "/c.jpg");
    assert_path("", "c.jpg", "c.jpg");
    assert_path("a", "/x/c.jpg", "/x/c.jpg");
    limn_file_replace(temp_path("there.jpg"), "", 0, NULL);
    mkdir(temp_path("folder"), 0700);
    add_all(&all, names, 3);
    assert_int_equal(limn_image_names_present(&present, &all, temp_folder, NULL), LIMN_OK);
    assert_int_equal(limn_image_names_count(&present), 1);
    assert_string_equal(limn_image_names_get(&present, 0), "there.jpg");
    limn_image_names_finish(&all);
    limn_image_names_finish(&present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_found_by_more_or_less_of_its_path),
        cmocka_unit_test(test_a_record_is_found_by_id_or_alias),
        cmocka_unit_test(test_images_of_a_caption_file_have_the_names_of_files),
        cmocka_unit_test(test_lists_are_lines),
        cmocka_unit_test(test_a_split_depends_on_names_and_seed_alone),
        cmocka_unit_test(test_a_stream_is_of_image_use_and_number),
        cmocka_unit_test(test_paths_and_what_is_there),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

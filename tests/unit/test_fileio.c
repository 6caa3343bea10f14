#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"
#include "tests/unit/temp_folder.h"

static void put(const char *path, const char *text)
{
    assert_int_equal(limn_file_replace(path, text, strlen(text), NULL), LIMN_OK);
}

static void assert_holds(const char *path, const char *text)
{
    limn_file_bytes file;
    assert_int_equal(limn_file_bytes_read(&file, path, 1000, NULL), LIMN_OK);
    assert_int_equal(file.size, strlen(text));
    assert_memory_equal(file.bytes, text, file.size);
    limn_file_bytes_free(&file);
}

static void test_map_and_read_give_the_bytes(void **state)
{
    const char *path = temp_path("a");
    unsigned char *bytes;
    size_t size;
    (void)state;
    put(path, "twelve bytes");
    assert_holds(path, "twelve bytes");
    assert_int_equal(limn_file_read(&bytes, &size, path, 12, NULL), LIMN_OK);
    assert_int_equal(size, 12);
    assert_string_equal((const char *)bytes, "twelve bytes");
    limn_free(bytes);
    put(path, "");
    assert_holds(path, "");
}

static void test_reading_refuses_what_it_must(void **state)
{
    limn_file_bytes file;
    unsigned char *bytes;
    size_t size;
    limn_error err = { 0 };
    char path[4200], expected[4300];
    (void)state;
    snprintf(path, sizeof path, "%s", temp_path("limit"));
    put(path, "twelve bytes");
    assert_int_equal(limn_file_bytes_read(&file, path, 11, &err), LIMN_E_LIMIT);
    snprintf(expected, sizeof expected, "%s: has 12 bytes, more than the limit of 11", path);
    assert_string_equal(err.text, expected);
    assert_int_equal(limn_file_read(&bytes, &size, path, 11, NULL), LIMN_E_LIMIT);
    assert_int_equal(limn_file_bytes_read(&file, temp_path("none"), 11, NULL), LIMN_E_IO);
    assert_int_equal(limn_file_bytes_read(&file, temp_path("."), 11, NULL), LIMN_E_IO);
    assert_int_equal(limn_file_bytes_read(&file, "/dev/null", 11, NULL), LIMN_E_IO);
    assert_int_equal(limn_file_read(&bytes, &size, temp_path("."), 11, NULL), LIMN_E_IO);
    assert_int_equal(limn_file_read(&bytes, &size, "/dev/zero", 9999, NULL), LIMN_E_LIMIT);
    assert_int_equal(mkfifo(temp_path("pipe"), 0600), 0);
    assert_int_equal(limn_file_bytes_read(&file, temp_path("pipe"), 11, NULL), LIMN_E_IO);
}

static void test_descriptors_are_read_to_their_end(void **state)
{
    int ends[2];
    unsigned char *bytes;
    size_t size, n_written = 0;
    char block[1000];
    (void)state;
    memset(block, 'x', sizeof block);
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 30; i++) n_written += (size_t)write(ends[1], block, sizeof block);
    close(ends[1]);
    assert_int_equal(limn_fd_read(&bytes, &size, ends[0], "pipe", 1 << 20, NULL), LIMN_OK);
    assert_int_equal(size, n_written);
    assert_int_equal(bytes[size - 1], 'x');
    assert_int_equal(bytes[size], 0);
    limn_free(bytes);
    close(ends[0]);
}

static void test_a_writer_replaces_only_at_commit(void **state)
{
    const char *path = temp_path("out");
    limn_file_writer *w;
    struct stat st;
    (void)state;
    put(path, "old");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(limn_file_writer_open(&w, path, NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_write(w, "new count=? end", 15, NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_patch(w, 10, "7", 1, NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_patch(w, 14, "xy", 2, NULL), LIMN_E_ARG);
    assert_int_equal(limn_file_writer_write(w, "!", 1, NULL), LIMN_OK);
    assert_holds(path, "old");
    assert_int_equal(limn_file_writer_commit(&w, NULL), LIMN_OK);
    assert_null(w);
    assert_holds(path, "new count=7 end!");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_a_discarded_writer_leaves_nothing(void **state)
{
    limn_file_writer *w;
    (void)state;
    const size_t before = temp_n_files();
    assert_int_equal(limn_file_writer_open(&w, temp_path("never"), NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_write(w, "x", 1, NULL), LIMN_OK);
    assert_int_equal(temp_n_files(), before + 1);
    limn_file_writer_discard(&w);
    assert_null(w);
    limn_file_writer_discard(&w);
    assert_int_equal(temp_n_files(), before);
}

static void test_links_are_followed_only_where_they_are_given(void **state)
{
    char link[4200], target[4200];
    struct stat st;
    limn_file_writer *w;
    limn_error err = { 0 };
    (void)state;
    snprintf(link, sizeof link, "%s", temp_path("link"));
    snprintf(target, sizeof target, "%s", temp_path("target"));
    put(target, "old");
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(limn_file_replace(link, "through", 7, &err), LIMN_E_IO);
    assert_non_null(strstr(err.text, "is a symbolic link, which limn does not write through"));
    assert_holds(target, "old");
    assert_int_equal(limn_file_writer_open_given(&w, link, NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_write(w, "through", 7, NULL), LIMN_OK);
    assert_int_equal(limn_file_writer_commit(&w, NULL), LIMN_OK);
    assert_holds(target, "through");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void test_replacing_refuses_devices(void **state)
{
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_file_replace("/dev/null", "x", 1, &err), LIMN_E_IO);
    assert_string_equal(err.text, "/dev/null: exists and is not a regular file");
    assert_int_equal(limn_file_replace(temp_path("no/such/folder"), "x", 1, NULL), LIMN_E_IO);
}

static void test_a_failed_commit_removes_its_file(void **state)
{
    limn_file_writer *w;
    (void)state;
    const size_t before = temp_n_files();
    assert_int_equal(limn_file_writer_open(&w, temp_path("taken"), NULL), LIMN_OK);
    assert_int_equal(mkdir(temp_path("taken"), 0700), 0); /* so the rename fails */
    assert_int_equal(limn_file_writer_commit(&w, NULL), LIMN_E_IO);
    assert_null(w);
    assert_int_equal(temp_n_files(), before + 1);
}

static void test_folders_are_made_where_they_are_missing(void **state)
{
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_folder_make(temp_path("made"), true, &err), LIMN_OK);
    assert_int_equal(limn_folder_make(temp_path("made"), true, &err), LIMN_OK); /* it exists */
    assert_int_equal(limn_folder_make(temp_path("none/made"), true, &err), LIMN_E_IO);
    assert_non_null(strstr(err.text, "can't make the folder"));
    assert_int_equal(limn_folder_make_above(temp_path("made/a/b/file"), &err), LIMN_OK);
    put(temp_path("made/a/b/file"), "1"); /* not a folder, and its parents exist */
    assert_int_equal(limn_folder_make_above(temp_path("made/a/b/file/c"), &err), LIMN_OK);
    assert_int_equal(limn_folder_make_above(temp_path("made/a/b/file/c/d"), &err), LIMN_E_IO);
    assert_int_equal(limn_folder_make_above("", &err), LIMN_OK);
    assert_int_equal(remove(temp_path("made/a/b/file")), 0);
    assert_int_equal(remove(temp_path("made/a/b")), 0);
    assert_int_equal(remove(temp_path("made/a")), 0);
}

static void test_fnv1a_has_its_published_values(void **state)
{
    (void)state;
    assert_true(limn_fnv1a64(LIMN_FNV1A64_INIT, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(limn_fnv1a64(LIMN_FNV1A64_INIT, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(limn_fnv1a64(LIMN_FNV1A64_INIT, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_and_read_give_the_bytes),
        cmocka_unit_test(test_reading_refuses_what_it_must),
        cmocka_unit_test(test_descriptors_are_read_to_their_end),
        cmocka_unit_test(test_a_writer_replaces_only_at_commit),
        cmocka_unit_test(test_a_discarded_writer_leaves_nothing),
        cmocka_unit_test(test_links_are_followed_only_where_they_are_given),
        cmocka_unit_test(test_replacing_refuses_devices),
        cmocka_unit_test(test_a_failed_commit_removes_its_file),
        cmocka_unit_test(test_folders_are_made_where_they_are_missing),
        cmocka_unit_test(test_fnv1a_has_its_published_values),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

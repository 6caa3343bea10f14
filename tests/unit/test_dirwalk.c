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

#include "common/io/dirwalk.h"
#include "common/io/list_reader.h"

static const limn_dirwalk_settings plain = { .list_fd = -1, .wake_fd = -1 };

static void make_file(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

/* Makes the tree that all tests walk, in a folder of its own, which becomes the current folder. */
static int make_tree(void **state)
{
    static char root[] = "/tmp/limn-dirwalk-XXXXXX";
    if (!mkdtemp(root) || chdir(root)) return -1;
    *state = root;
    mkdir("d", 0700);
    mkdir("d/b", 0700);
    mkdir("d/b/deep", 0700);
    mkdir("d/empty", 0700);
    make_file("d/10.jpg");
    make_file("d/2.jpg");
    make_file("d/B.jpg");
    make_file("d/a.jpg");
    make_file("d/b.jpg");
    make_file("d/.hidden.jpg");
    make_file("d/new\nline.jpg");
    make_file("d/b/z.jpg");
    make_file("d/b/deep/y.jpg");
    mkfifo("d/pipe", 0600);
    return symlink("..", "d/b/loop") || symlink("nowhere", "d/c-dangling");
}

static int remove_tree(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
    return chdir("/") || system(command);
}

/* All paths with " | " after each; failures as "!path: text". */
static void walk(char *out, size_t size, limn_dirwalk_counts *counts,
                 const limn_dirwalk_settings *settings, size_t n_names, const char *const *names)
{
    limn_dirwalk *w = NULL;
    limn_dirwalk_entry entry;
    char *copies[8];
    size_t used = 0;
    for (size_t i = 0; i < n_names; i++) copies[i] = (char *)(uintptr_t)names[i];
    assert_int_equal(limn_dirwalk_create(&w, copies, n_names, settings, NULL), LIMN_OK);
    for (;;) {
        limn_error err = { 0 };
        const limn_status s = limn_dirwalk_next(w, &entry, &err);
        if (s == LIMN_OK && !entry.path) break;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s", s ? "!" : "",
                                 entry.is_named ? "=" : "", entry.path, s ? ": " : "",
                                 s ? err.text : "");
        used += (size_t)snprintf(out + used, size - used, " | ");
        assert_string_equal(entry.path + strlen(entry.path) - strlen(entry.relative),
                            entry.relative);
        assert_true(used < size);
    }
    if (counts) *counts = limn_dirwalk_get_counts(w);
    limn_dirwalk_destroy(&w);
    assert_null(w);
}

static void test_a_folder_is_sorted_by_bytes(void **state)
{
    char out[1024];
    limn_dirwalk_counts counts;
    (void)state;
    walk(out, sizeof out, &counts, &plain, 1, (const char *const[]){ "d" });
    assert_string_equal(out, "d/10.jpg | d/2.jpg | d/B.jpg | d/a.jpg | d/b.jpg | "
                             "!d/c-dangling: No such file or directory | d/new\nline.jpg | ");
    assert_int_equal(counts.n_hidden, 1);
    assert_int_equal(counts.n_folders, 2);
    assert_int_equal(counts.n_special, 1);
}

static void test_recursion_leaves_loops(void **state)
{
    char out[1024];
    limn_dirwalk_settings settings = plain;
    limn_dirwalk_counts counts;
    (void)state;
    settings.is_recursive = true;
    walk(out, sizeof out, &counts, &settings, 2, (const char *const[]){ "d//", "d/b/deep/" });
    assert_string_equal(out, "d//10.jpg | d//2.jpg | d//B.jpg | d//a.jpg | d//b/deep/y.jpg | "
                             "d//b/z.jpg | d//b.jpg | !d//c-dangling: No such file or directory | "
                             "d//new\nline.jpg | d/b/deep/y.jpg | ");
    assert_int_equal(counts.n_loops, 1);
}

static void test_names_come_as_given(void **state)
{
    char out[1024];
    (void)state;
    walk(out, sizeof out, NULL, &plain, 6,
         (const char *const[]){ "d/b.jpg", "d/.hidden.jpg", "gone", "-", "d/b.jpg", "d/empty" });
    assert_string_equal(out, "=d/b.jpg | =d/.hidden.jpg | =gone | =- | =d/b.jpg | ");
}

static void walk_list(char *out, size_t size, const char *list, size_t list_size, char separator)
{
    limn_dirwalk_settings settings = plain;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], list, list_size), (ssize_t)list_size);
    close(ends[1]);
    settings.list_fd = ends[0];
    settings.list_separator = separator;
    walk(out, size, NULL, &settings, 3, (const char *const[]){ "first", "-", "last" });
    close(ends[0]);
}

static void test_lists(void **state)
{
    char out[1024];
    (void)state;
    walk_list(out, sizeof out, "d/b\n\na\n-\nno newline", 19, '\n');
    assert_string_equal(out, "=first | d/b/z.jpg | =a | =- | =no newline | =last | ");
    walk_list(out, sizeof out, "a\nb\0c", 6, '\0');
    assert_string_equal(out, "=first | =a\nb | =c | =last | ");
    walk_list(out, sizeof out, "", 0, '\n');
    assert_string_equal(out, "=first | =last | ");
    walk_list(out, sizeof out, "a\0b\nc\0\nd", 8, '\n');
    assert_string_equal(out, "=first | "
                             "!=-: line 1 holds a NUL byte; is this a NUL-separated list? | "
                             "=last | ");
    walk_list(out, sizeof out, "a\nb\0\nc", 6, '\n');
    assert_string_equal(out, "=first | =a | "
                             "!=-: line 2 holds a NUL byte; is this a NUL-separated list? | "
                             "=c | =last | ");
}

static void test_a_long_list_entry_is_refused_and_the_next_one_read(void **state)
{
    char out[1024], name[LIMN_LIST_MAX_PATH + 4], path[] = "list-XXXXXX";
    limn_dirwalk_settings settings = plain;
    const int fd = mkstemp(path);
    (void)state;
    memset(name, 'x', LIMN_LIST_MAX_PATH + 1);
    memcpy(name + LIMN_LIST_MAX_PATH + 1, "\na\n", 3);
    assert_int_equal(write(fd, name, sizeof name), sizeof name);
    lseek(fd, 0, SEEK_SET);
    settings.list_fd = fd;
    settings.list_separator = '\n';
    walk(out, sizeof out, NULL, &settings, 1, (const char *const[]){ "-" });
    assert_string_equal(out, "!=-: entry 1 has 65537 bytes, more than 65536 | =a | ");
    close(fd);
}

/* Accepts all but the file b.jpg and the folder b/deep. */
static bool is_accepted(const void *ctx, const char *relative, limn_dirwalk_kind kind)
{
    assert_string_equal(ctx, "ctx");
    return strcmp(relative, kind == LIMN_DIRWALK_FILE ? "b.jpg" : "b/deep") != 0;
}

static void test_refused_files_and_folders_are_left_out(void **state)
{
    char out[1024];
    limn_dirwalk_settings settings = plain;
    limn_dirwalk_counts counts;
    (void)state;
    settings.is_recursive = true;
    settings.accepts = is_accepted;
    settings.accepts_ctx = "ctx";
    walk(out, sizeof out, &counts, &settings, 2, (const char *const[]){ "d/b/..", "b.jpg" });
    assert_string_equal(out, "d/b/../10.jpg | d/b/../2.jpg | d/b/../B.jpg | d/b/../a.jpg | "
                             "d/b/../b/z.jpg | "
                             "!d/b/../c-dangling: No such file or directory | "
                             "d/b/../new\nline.jpg | ");
    assert_int_equal(counts.n_refused, 3);
}

static void make_archives(void)
{
    assert_int_equal(system("mkdir e && tar -C d -cf e/a.tar b.jpg .hidden.jpg ./b/z.jpg pipe "
                            "--transform 's,^./,,' && cp e/a.tar e/c.tar && : > e/b.tar"),
                     0);
}

static void test_archives_are_folders(void **state)
{
    char out[1024];
    limn_dirwalk_settings settings = plain;
    limn_dirwalk_counts counts;
    (void)state;
    make_archives();
    walk(out, sizeof out, &counts, &settings, 1, (const char *const[]){ "e/a.tar" });
    assert_string_equal(out, "=e/a.tar | ");
    settings.has_archives = true;
    walk(out, sizeof out, &counts, &settings, 2, (const char *const[]){ "e/a.tar", "e" });
    assert_string_equal(out, "e/a.tar/b.jpg | e/a.tar/b/z.jpg | ");
    assert_int_equal(counts.n_archives, 3);
    assert_int_equal(counts.n_hidden, 1);
    assert_int_equal(counts.n_special, 1);
    settings.is_recursive = true;
    settings.accepts = is_accepted;
    settings.accepts_ctx = "ctx";
    walk(out, sizeof out, &counts, &settings, 2, (const char *const[]){ "e", "no.zip" });
    assert_string_equal(out, "e/a.tar/b.jpg | e/a.tar/b/z.jpg | !e/b.tar: the file is empty | "
                             "e/c.tar/b.jpg | e/c.tar/b/z.jpg | "
                             "!=no.zip: No such file or directory | ");
}

static void test_a_member_can_be_read_when_it_came_out(void **state)
{
    char *names[] = { (char *)"e/a.tar", (char *)"d/b.jpg" };
    limn_dirwalk_settings settings = plain;
    limn_dirwalk *w;
    limn_dirwalk_entry entry;
    unsigned char *bytes;
    size_t size;
    (void)state;
    settings.has_archives = true;
    assert_int_equal(limn_dirwalk_create(&w, names, 2, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_dirwalk_next(w, &entry, NULL), LIMN_OK);
    assert_int_equal(entry.archive_size, 7);
    assert_int_equal(limn_archive_read(limn_dirwalk_archive(w), &bytes, &size, 1, NULL), LIMN_OK);
    free(bytes);
    assert_int_equal(limn_dirwalk_next(w, &entry, NULL), LIMN_OK);
    assert_int_equal(limn_dirwalk_next(w, &entry, NULL), LIMN_OK);
    assert_string_equal(entry.path, "d/b.jpg");
    assert_int_equal(entry.archive_size, 0);
    assert_null(limn_dirwalk_archive(w));
    limn_dirwalk_destroy(&w);
}

static void test_waiting_for_a_list_can_be_ended(void **state)
{
    char out[256];
    limn_dirwalk_settings settings = plain;
    int list[2], wake[2];
    (void)state;
    assert_int_equal(pipe(list) | pipe(wake), 0);
    assert_int_equal(write(wake[1], "", 1), 1);
    settings.list_fd = list[0];
    settings.wake_fd = wake[0];
    settings.list_separator = '\n';
    walk(out, sizeof out, NULL, &settings, 2, (const char *const[]){ "-", "never" });
    assert_string_equal(out, "!=-: interrupted | ");
    for (int i = 0; i < 2; i++) {
        close(list[i]);
        close(wake[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_folder_is_sorted_by_bytes),
        cmocka_unit_test(test_recursion_leaves_loops),
        cmocka_unit_test(test_names_come_as_given),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_a_long_list_entry_is_refused_and_the_next_one_read),
        cmocka_unit_test(test_refused_files_and_folders_are_left_out),
        cmocka_unit_test(test_archives_are_folders),
        cmocka_unit_test(test_a_member_can_be_read_when_it_came_out),
        cmocka_unit_test(test_waiting_for_a_list_can_be_ended),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

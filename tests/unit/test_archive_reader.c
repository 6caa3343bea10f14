#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/archive_reader.h"
#include "common/io/fileio.h"
#include "tests/unit/image_fixtures.h"
#include "tests/unit/temp_folder.h"

enum { MAX_SIZE = 1000000, SHOWN = 200 /* bytes of a name */ };

static void append_name(limn_buffer *out, const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        limn_buffer_append(out, name[i] == '\n' ? "?" : &name[i], 1);
    if (n > SHOWN) limn_buffer_append_text(out, "…");
}

/* Appends an error without libarchive's own text, which changes from version to version. */
static void append_failure(limn_buffer *out, const limn_error *err)
{
    static const char *const ours[] = { "the archive is cut off", "the archive is damaged",
                                        "Unsupported ZIP compression method" };
    limn_buffer_printf(out, "! %s: ", limn_status_name(err->code));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strncmp(err->text, ours[i], strlen(ours[i]))) {
            limn_buffer_append_text(out, ours[i]);
            return;
        }
    limn_buffer_append_text(out, err->text);
}

static void append_member(limn_buffer *out, limn_archive *a, const limn_archive_member *m)
{
    unsigned char *bytes = NULL;
    size_t size;
    limn_error err = { 0 };
    append_name(out, m->name);
    if (m->kind != LIMN_ARCHIVE_FILE)
        limn_buffer_append_text(out, m->kind == LIMN_ARCHIVE_LINK ? "@" : "*");
    else if (limn_archive_read(a, &bytes, &size, MAX_SIZE, &err) == LIMN_OK)
        limn_buffer_printf(out, ": %zu bytes", size);
    else
        append_failure(out, &err);
    limn_free(bytes);
}

/* Everything read from an archive that was opened with `status`, in the form of expected.tsv. */
static void print_all(limn_buffer *out, limn_archive *a, limn_status status, limn_error *err)
{
    limn_archive_member m = { .name = "" };
    if (status != LIMN_OK) {
        append_failure(out, err);
        limn_buffer_append_text(out, " | ");
        return;
    }
    for (;;) {
        *err = (limn_error){ 0 };
        status = limn_archive_next(a, &m, err);
        if (status == LIMN_OK && !m.name) return;
        if (status == LIMN_OK)
            append_member(out, a, &m);
        else {
            append_name(out, m.name ? m.name : "");
            append_failure(out, err);
        }
        limn_buffer_append_text(out, " | ");
    }
}

static const char *text_of(const limn_buffer *b)
{
    return b->bytes ? b->bytes : "";
}

static bool gives(const char *name, const char *expected)
{
    limn_archive *a;
    limn_error err = { 0 };
    limn_buffer from_file = { 0 }, from_memory = { 0 };
    limn_file_bytes file;
    limn_status status;
    bool is_good;
    status = limn_archive_open(&a, source_path("tests/data/archives", name), &err);
    print_all(&from_file, a, status, &err);
    limn_archive_close(&a);
    err = (limn_error){ 0 };
    assert_int_equal(
        limn_file_bytes_read(&file, source_path("tests/data/archives", name), 1 << 20, NULL),
        LIMN_OK);
    status = limn_archive_open_memory(&a, file.bytes, file.size, &err);
    print_all(&from_memory, a, status, &err);
    limn_archive_close(&a);
    limn_file_bytes_free(&file);
    is_good = !strcmp(text_of(&from_file), expected) && !strcmp(text_of(&from_memory), expected);
    if (!is_good)
        print_error("%s: %s\nin memory: %s\n", name, text_of(&from_file), text_of(&from_memory));
    limn_buffer_finish(&from_file);
    limn_buffer_finish(&from_memory);
    return is_good;
}

static void test_archives_give_what_is_expected(void **state)
{
    FILE *table = fopen(source_path("tests/data/archives", "expected.tsv"), "r");
    char line[4096], *columns[2];
    int n_lines = 0, n_wrong = 0;
    (void)state;
    assert_non_null(table);
    for (; read_columns(table, line, sizeof line, columns, 2); n_lines++)
        n_wrong += !gives(columns[0], columns[1]);
    fclose(table);
    assert_int_equal(n_wrong, 0);
    assert_true(n_lines > 40);
}

/* A gzipped tar at `path` with "good.jpg", a member `name` of `n_zeros` zeros, and "last.jpg". */
static void write_bomb(const char *path, const char *name, size_t n_zeros)
{
    static const unsigned char zeros[1 << 16];
    gzFile f = gzopen(path, "wb9");
    char header[3][512] = { { 0 } };
    const char *names[3] = { "good.jpg", name, "last.jpg" };
    const size_t sizes[3] = { 0, n_zeros, 0 };
    assert_non_null(f);
    for (int i = 0; i < 3; i++) {
        unsigned sum = 0;
        snprintf(header[i], 100, "%s", names[i]);
        memcpy(header[i] + 100, "0000644\0000000000\0000000000", 24);
        snprintf(header[i] + 124, 12, "%011zo", sizes[i]);
        memcpy(header[i] + 136, "00000000000\0        0", 21);
        memcpy(header[i] + 257, "ustar\00000", 8);
        for (int k = 0; k < 512; k++) sum += (unsigned char)header[i][k];
        snprintf(header[i] + 148, 8, "%06o", sum);
        gzwrite(f, header[i], 512);
        for (size_t k = 0; k < sizes[i]; k += sizeof zeros) gzwrite(f, zeros, sizeof zeros);
    }
    gzwrite(f, zeros, 1024);
    assert_int_equal(gzclose(f), Z_OK);
}

static void check_bomb(const char *name, size_t n_zeros, const char *expected)
{
    limn_buffer out = { 0 };
    limn_error err = { 0 };
    limn_archive *a;
    limn_status s;
    write_bomb(temp_path("bomb.tar.gz"), name, n_zeros);
    s = limn_archive_open(&a, temp_path("bomb.tar.gz"), &err);
    print_all(&out, a, s, &err);
    assert_string_equal(text_of(&out), expected);
    limn_buffer_finish(&out);
    limn_archive_close(&a);
}

static void test_a_bomb_ends_the_archive(void **state)
{
    (void)state;
    check_bomb("zeros.bin", 32 << 20,
               "good.jpg: 0 bytes | zeros.bin! over limit: has 33554432 bytes, more than the limit "
               "of 1000000 | last.jpg: 0 bytes | ");
    check_bomb(
        "zeros.bin", 128 << 20,
        "good.jpg: 0 bytes | zeros.bin! over limit: has 134217728 bytes, more than the limit "
        "of 1000000 | ! over limit: the archive expands to more than 200 times its size: a "
        "decompression bomb | ");
}

static void test_archives_are_told_by_name(void **state)
{
    (void)state;
    assert_true(limn_archive_has_name("a.tar"));
    assert_true(limn_archive_has_name("b/a.TAR.gz"));
    assert_true(limn_archive_has_name("a.tgz"));
    assert_true(limn_archive_has_name("a.b.Zip"));
    assert_false(limn_archive_has_name("a.tar.xz"));
    assert_false(limn_archive_has_name("a.gz"));
    assert_false(limn_archive_has_name("tar"));
    assert_false(limn_archive_has_name(".tar"));
    assert_false(limn_archive_has_name("a/.tar"));
    assert_false(limn_archive_has_name(""));
}

/* Peeked bytes are read again, and unread bytes are skipped. */
static void test_peeking_reads_nothing_away(void **state)
{
    limn_archive *a;
    limn_archive_member m;
    unsigned char head[4], *bytes;
    size_t size;
    uint64_t end;
    (void)state;
    assert_int_equal(limn_archive_open(&a, source_path("tests/data/archives", "gnu.tar"), NULL),
                     LIMN_OK);
    assert_int_equal(limn_archive_next(a, &m, NULL), LIMN_OK);
    assert_int_equal(limn_archive_peek(a, head, sizeof head, &size, NULL), LIMN_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(head, "firs", 4);
    assert_int_equal(limn_archive_read(a, &bytes, &size, 5, NULL), LIMN_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "first", 5);
    limn_free(bytes);
    assert_int_equal(limn_archive_end_of_member(a, &end, NULL), LIMN_OK);
    assert_int_equal(end, 1024);
    assert_int_equal(limn_archive_next(a, &m, NULL), LIMN_OK);
    assert_string_equal(m.name, "b/c.jpg");
    assert_int_equal(limn_archive_peek(a, head, 1, &size, NULL), LIMN_OK);
    assert_int_equal(limn_archive_read(a, &bytes, &size, 9, NULL), LIMN_E_LIMIT);
    assert_int_equal(limn_archive_next(a, &m, NULL), LIMN_OK);
    assert_null(m.name);
    assert_int_equal(limn_archive_next(a, &m, NULL), LIMN_OK);
    assert_null(m.name);
    limn_archive_close(&a);
    assert_int_equal(limn_archive_open(&a, "/nowhere/a.tar", NULL), LIMN_E_IO);
    assert_null(a);
    limn_archive_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_archives_give_what_is_expected),
        cmocka_unit_test(test_a_bomb_ends_the_archive),
        cmocka_unit_test(test_archives_are_told_by_name),
        cmocka_unit_test(test_peeking_reads_nothing_away),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

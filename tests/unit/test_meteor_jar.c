/* Members of a zip archive by name, and archives damaged in every way: an error or the member,
 * never a read out of bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/metrics/meteor_jar.h"

static unsigned char *read_archive(size_t *size, const char *name)
{
    const char *root = getenv("LIMN_SOURCE_ROOT");
    char path[1024];
    unsigned char *bytes;
    limn_error err = { 0 };
    snprintf(path, sizeof path, "%s/tests/data/archives/%s", root ? root : ".", name);
    if (limn_file_read(&bytes, size, path, 1 << 20, &err)) fail_msg("%s", err.text);
    return bytes;
}

static limn_status read_member(size_t *size, const char *archive, const char *name, limn_error *err)
{
    size_t archive_size;
    unsigned char *bytes = read_archive(&archive_size, archive);
    char *text;
    const limn_status s =
        limn_meteor_jar_read(&text, size, bytes, archive_size, name, 1 << 20, err);
    limn_free(text);
    limn_free(bytes);
    return s;
}

static void test_members_are_found_and_checked(void **state)
{
    static const struct {
        const char *archive, *name;
        limn_status status;
        const char *says;
    } cases[] = {
        { "deflated.zip", "b/c.jpg", LIMN_OK, "" },
        { "deflated.zip", "nobody", LIMN_OK, "" },
        { "crc.zip", "a.jpg", LIMN_E_FORMAT,
          "a.jpg"
          ": is damaged in the archive" },
        { "method.zip", "a.jpg", LIMN_E_FORMAT,
          "a.jpg"
          ": is compressed by an unsupported method" },
        { "no_directory.zip", "a.png", LIMN_E_FORMAT, "is not a complete zip archive" },
        { "cut.zip", "a.png", LIMN_E_FORMAT, "is not a complete zip archive" },
        { "empty.tar", "a.png", LIMN_E_FORMAT, "is not a complete zip archive" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_error err = { 0 };
        size_t size;
        assert_int_equal(read_member(&size, cases[i].archive, cases[i].name, &err),
                         cases[i].status);
        assert_string_equal(err.text, cases[i].says);
    }
}

static void test_a_member_above_the_limit_is_refused(void **state)
{
    size_t archive_size, size;
    unsigned char *bytes = read_archive(&archive_size, "deflated.zip");
    char *text;
    (void)state;
    assert_int_equal(
        limn_meteor_jar_read(&text, &size, bytes, archive_size, "b/c.jpg", 1 << 20, NULL), LIMN_OK);
    assert_true(size > 0 && text[size] == '\0');
    limn_free(text);
    assert_int_equal(
        limn_meteor_jar_read(&text, &size, bytes, archive_size, "b/c.jpg", size - 1, NULL),
        LIMN_E_LIMIT);
    assert_null(text);
    limn_free(bytes);
}

static void test_no_damage_reads_outside(void **state)
{
    size_t archive_size, size;
    unsigned char *bytes = read_archive(&archive_size, "deflated.zip");
    (void)state;
    for (size_t n = 0; n < 4 * archive_size; n++) {
        const size_t cut = n < archive_size ? n : archive_size;
        unsigned char *copy = malloc(cut ? cut : 1); /* AddressSanitizer guards its end */
        char *text;
        memcpy(copy, bytes, cut);
        if (n >= archive_size)
            copy[n % archive_size] ^= (unsigned char)(n < 2 * archive_size ? 0xff : n);
        limn_meteor_jar_read(&text, &size, copy, cut, "b/c.jpg", 1 << 20, NULL);
        limn_free(text);
        free(copy);
    }
    limn_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_found_and_checked),
        cmocka_unit_test(test_a_member_above_the_limit_is_refused),
        cmocka_unit_test(test_no_damage_reads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

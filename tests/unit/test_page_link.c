/* Links from a page to files: relative, encoded, and never to anything but a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/page/page_link.h"

/* page, file, and the link from one to the other; NULL: there is none */
static const char *const rows[][3] = {
    { "sheet.html", "a.jpg", "./a.jpg" },
    { "sheet.html", "in/b.jpg", "./in/b.jpg" },
    { "in/sheet.html", "a.jpg", "./../a.jpg" },
    { "in/sheet.html", "in/b.jpg", "./b.jpg" },
    { "in/sheet.html", "inner/c.jpg", "./../inner/c.jpg" },
    { "inner/deep/sheet.html", "in/b.jpg", "./../../in/b.jpg" },
    { "sheet.html", "in/../a.jpg", "./a.jpg" },
    { "sheet.html", "100% \"x\"#?.jpg", "./100%25%20%22x%22%23%3F.jpg" },
    { "sheet.html", "a:b\xff.jpg", "./a%3Ab%FF.jpg" },
    { "sheet.html", "in", NULL },
    { "sheet.html", "not-there.jpg", NULL },
    { "no-folder/sheet.html", "a.jpg", NULL },
};

static void make_file(const char *name)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fclose(f);
}

static void test_links(void **state)
{
    char folder[] = "/tmp/limn-page-link-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("in", 0700) | mkdir("inner", 0700) | mkdir("inner/deep", 0700), 0);
    make_file("a.jpg");
    make_file("in/b.jpg");
    make_file("inner/c.jpg");
    make_file("100% \"x\"#?.jpg");
    make_file("a:b\xff.jpg");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        limn_buffer link = { 0 };
        assert_int_equal(limn_page_append_link(&link, rows[i][0], rows[i][1]), rows[i][2] != NULL);
        if (rows[i][2])
            assert_string_equal(link.bytes, rows[i][2]);
        else
            assert_int_equal(link.size, 0);
        limn_buffer_finish(&link);
    }
    assert_int_equal(system("rm -r in inner *.jpg"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_links) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

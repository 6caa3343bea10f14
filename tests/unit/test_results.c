#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/annotate/input/inputs.h"
#include "tools/annotate/sinks/sidecar_path.h"
#include "common/text/file_name.h"
#include "tools/annotate/writers/writer.h"

/* ---- names ------------------------------------------------------------------------------ */

static const char *const names[] = {
    "plain",
    "tab\there",
    "new\nline\r",
    "back\\slash",
    "back\\n",
    "\\",
    "gr\xc3\xbc\xc3\x9f",
    "latin-\xe9",
    "\xff\xfe",
    "half-\xe7\x8c",
    "\x01",
    "",
};

typedef void append_fn(limn_buffer *out, const char *name);
typedef bool undo_fn(limn_buffer *out, const char *text, size_t size);

static void check_round_trip(append_fn *append, undo_fn *undo)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        limn_buffer text = { 0 }, back = { 0 };
        append(&text, names[i]);
        limn_buffer_append(&text, "", 0);
        assert_null(strpbrk(text.bytes, "\t\n\r"));
        assert_true(undo(&back, text.bytes, text.size));
        limn_buffer_append(&back, "", 0);
        assert_string_equal(back.bytes, names[i]);
        limn_buffer_finish(&text);
        limn_buffer_finish(&back);
    }
}

static void test_escapes_are_undone(void **state)
{
    (void)state;
    check_round_trip(limn_file_name_append_line, limn_file_name_append_unescaped);
    check_round_trip(limn_file_name_append_line_utf8, limn_file_name_append_unescaped);
    check_round_trip(limn_file_name_append_hex, limn_file_name_append_from_hex);
}

static void test_what_is_no_escape_is_refused(void **state)
{
    static const char *const texts[] = { "\\",   "a\\",   "\\q",   "\\x",
                                         "\\xe", "\\xzz", "\\x00", "\\xE9" };
    limn_buffer out = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(limn_file_name_append_unescaped(&out, texts[i], strlen(texts[i])));
    assert_false(limn_file_name_append_unescaped(&out, "a\0b", 3));
    assert_false(limn_file_name_append_from_hex(&out, "abc", 3));
    assert_false(limn_file_name_append_from_hex(&out, "00", 2));
    assert_false(limn_file_name_append_from_hex(&out, "zz", 2));
    limn_buffer_finish(&out);
}

static void test_formats_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        limn_format format;
    } cases[] = {
        { "a.jsonl", LIMN_FORMAT_JSONL },
        { "a/metadata.jsonl", LIMN_FORMAT_METADATA },
        { "my-metadata.jsonl", LIMN_FORMAT_JSONL },
        { "a.json", LIMN_FORMAT_COCO },
        { "a.csv", LIMN_FORMAT_CSV },
    };
    limn_format format;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(limn_format_of_path(&format, cases[i].path));
        assert_int_equal(format, cases[i].format);
        assert_string_equal(limn_writer_of(format, false)->name, limn_format_names[format]);
    }
    assert_false(limn_format_of_path(&format, "a.csv/b"));
    assert_false(limn_format_of_path(&format, "a"));
}

/* ---- sidecars --------------------------------------------------------------------------- */

static void check_path(const limn_sidecar_naming *naming, const char *path, const char *relative,
                       const char *expected)
{
    const limn_dirwalk_entry input = { .path = path,
                                       .relative = path + strlen(path) - strlen(relative) };
    limn_buffer out = { 0 };
    const limn_status s = limn_sidecar_path(&out, naming, &input, NULL);
    assert_int_equal(s, expected ? LIMN_OK : LIMN_E_ARG);
    if (expected) assert_string_equal(out.bytes, expected);
    limn_buffer_finish(&out);
}

static void test_sidecar_paths(void **state)
{
    const limn_sidecar_naming beside = { .extension = "txt" };
    const limn_sidecar_naming full = { .extension = "txt", .is_full = true };
    const limn_sidecar_naming tree = { .extension = "cap", .out_dir = "out" };
    limn_buffer out = { 0 };
    (void)state;
    check_path(&beside, "p/a.b.jpg", "a.b.jpg", "p/a.b.txt");
    check_path(&beside, "p.d/noext", "noext", "p.d/noext.txt");
    check_path(&beside, "p/.hidden", ".hidden", "p/.hidden.txt");
    check_path(&beside, "../a.jpg", "../a.jpg", "../a.txt");
    check_path(&beside, "a.", "a.", "a.txt");
    check_path(&full, "p/a.jpg", "a.jpg", "p/a.jpg.txt");
    check_path(&tree, "/x/p/b/a.jpg", "b/a.jpg", "out/b/a.cap");
    check_path(&tree, "/x/a.jpg", "/x/a.jpg", "out/x/a.cap");
    check_path(&tree, "./a..jpg", "./a..jpg", "out/a..cap");
    check_path(&tree, "../a.jpg", "../a.jpg", NULL);
    check_path(&tree, "a/../../b.jpg", "a/../../b.jpg", NULL);
    const limn_dirwalk_entry member = { .path = "a.tar/b.jpg",
                                        .relative = "a.tar/b.jpg",
                                        .archive_size = 5 };
    assert_int_equal(limn_sidecar_path(&out, &beside, &member, NULL), LIMN_E_ARG);
    assert_int_equal(limn_sidecar_path(&out, &tree, &member, NULL), LIMN_OK);
    assert_string_equal(out.bytes, "out/a.tar/b.cap");
    limn_buffer_finish(&out);
}

/* ---- filters ---------------------------------------------------------------------------- */

static void test_globs(void **state)
{
    const char *includes[] = { "*.jpg", "a/*" }, *excludes[] = { "*_thumb*", "skip" };
    const limn_inputs f = {
        .includes = includes, .n_includes = 2, .excludes = excludes, .n_excludes = 2
    };
    (void)state;
    assert_true(limn_inputs_accept(&f, "x/y.jpg", LIMN_DIRWALK_FILE));
    assert_true(limn_inputs_accept(&f, "a/b/c.png", LIMN_DIRWALK_FILE));
    assert_false(limn_inputs_accept(&f, "x/y.png", LIMN_DIRWALK_FILE));
    assert_false(limn_inputs_accept(&f, "x/y_thumb.jpg", LIMN_DIRWALK_FILE));
    assert_true(limn_inputs_accept(&f, "x", LIMN_DIRWALK_FOLDER));
    assert_false(limn_inputs_accept(&f, "x/skip", LIMN_DIRWALK_FOLDER));
}

static void test_each_name_is_in_one_shard_and_shards_are_even(void **state)
{
    enum { N = 16, N_NAMES = 16000 };
    size_t sizes[N] = { 0 };
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        char name[32];
        int n_shards = 0;
        snprintf(name, sizeof name, "COCO_%012d.jpg", i);
        for (uint32_t k = 0; k < N; k++) {
            const limn_inputs f = { .shard = k, .n_shards = N };
            const bool is_in = limn_inputs_accept(&f, name, LIMN_DIRWALK_FILE);
            n_shards += is_in;
            sizes[k] += is_in;
        }
        assert_int_equal(n_shards, 1);
    }
    for (size_t k = 0; k < N; k++)
        assert_true(sizes[k] > 850 && sizes[k] < 1150); /* five standard deviations */
}

static void test_shards_are_parsed(void **state)
{
    static const char *const bad[] = { "",      "1",    "/",    "1/",      "/2",       "2/2", "0/0",
                                       "1/2/3", "-1/2", " 1/2", "1/65537", "000001/2", "1/2 " };
    limn_inputs f = { 0 };
    (void)state;
    assert_true(limn_inputs_parse_shard(&f, "3/16"));
    assert_true(f.shard == 3 && f.n_shards == 16);
    assert_true(limn_inputs_parse_shard(&f, "65535/65536"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(limn_inputs_parse_shard(&f, bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_are_undone),
        cmocka_unit_test(test_what_is_no_escape_is_refused),
        cmocka_unit_test(test_formats_by_name),
        cmocka_unit_test(test_sidecar_paths),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_each_name_is_in_one_shard_and_shards_are_even),
        cmocka_unit_test(test_shards_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

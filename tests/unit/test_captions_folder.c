#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/io/captions.h"
#include "common/io/fileio.h"
#include "tests/unit/temp_folder.h"

typedef struct test_file {
    const char *name, *bytes;
    size_t size;
} test_file;

#define FILE_OF(name, literal)             \
    {                                      \
        name, literal, sizeof(literal) - 1 \
    }

enum { MAX_FILES = 12 };

static void make_files(const test_file *files)
{
    mkdir(temp_path("sub"), 0777);
    for (size_t i = 0; i < MAX_FILES && files[i].name; i++)
        assert_int_equal(
            limn_file_replace(temp_path(files[i].name), files[i].bytes, files[i].size, NULL),
            LIMN_OK);
}

static void remove_files(const test_file *files)
{
    for (size_t i = 0; i < MAX_FILES && files[i].name; i++) remove(temp_path(files[i].name));
    remove(temp_path("sub"));
}

static void check_records(const test_file *files, const char *expected, const char *orphan)
{
    limn_caption_file file;
    limn_buffer text = { 0 };
    char path[sizeof temp_folder + 2];
    make_files(files);
    snprintf(path, sizeof path, "%s//", temp_folder);
    assert_int_equal(limn_caption_file_read(&file, path, NULL, NULL), LIMN_OK);
    for (size_t i = 0; i < file.n_records; i++) {
        const limn_caption_record *r = &file.records[i];
        limn_buffer_printf(&text, "%zu %s %s|", r->entry, r->id, r->caption ? r->caption : "NONE");
    }
    assert_string_equal(text.bytes, expected);
    assert_string_equal(file.format, "sidecar files");
    assert_int_equal(file.n_without_image, orphan ? 1 : 0);
    if (orphan) assert_string_equal(file.without_image, temp_path(orphan));
    limn_buffer_finish(&text);
    limn_caption_file_finish(&file);
    remove_files(files);
}

static void test_captions_stand_beside_their_images(void **state)
{
    static const test_file files[MAX_FILES] = {
        FILE_OF("a.jpg", ""),      FILE_OF("a.txt", "\xEF\xBB\xBFOne.\r\n\n \t\nTwo."),
        FILE_OF("b.c.PNG", ""),    FILE_OF("b.c.TXT", "three"),
        FILE_OF("d.jpg", ""),      FILE_OF("d.txt", "\n\n"), /* no caption */
        FILE_OF("sub/a.webp", ""), FILE_OF("sub/a.txt", "four\n"),
        FILE_OF("lonely.jpg", ""),
    };
    (void)state;
    check_records(
        files, "0 a.jpg One.|1 a.jpg Two.|2 b.c.PNG three|3 d.jpg NONE|4 sub/a.webp four|", NULL);
}

static void test_whole_names(void **state)
{
    static const test_file files[MAX_FILES] = {
        FILE_OF("a.jpg", ""),
        FILE_OF("a.png", ""),
        FILE_OF("a.jpg.txt", "one"),
        FILE_OF("a.png.txt", "two"),
        FILE_OF("b", ""),
        FILE_OF("b.txt", "three"), /* without an extension */
        FILE_OF("c.txt", "x"),
        FILE_OF("c.json", "{}"), /* a record of something else is not an image */
    };
    (void)state;
    check_records(files, "0 a.jpg one|1 a.png two|2 b three|", "c.txt");
}

/* A text file next to a text file. */
static void test_text_is_no_image(void **state)
{
    static const test_file files[MAX_FILES] = {
        FILE_OF("a.jpg", ""),
        FILE_OF("a.txt", "one"),
        FILE_OF("a.txt.txt", "two"),
    };
    (void)state;
    check_records(files, "0 a.jpg one|", "a.txt.txt");
}

typedef struct bad_folder {
    test_file files[MAX_FILES];
    limn_status status;
    const char *text; /* part of the error */
} bad_folder;

static const bad_folder bad_folders[] = {
    { { FILE_OF("a.txt", "x") },
      LIMN_E_FORMAT,
      "no image in this folder has a text file next to it" },
    { { FILE_OF("a.txt", "x"), FILE_OF("a.jpg", ""), FILE_OF("a.png", "") },
      LIMN_E_FORMAT,
      "a.txt: is next to both a.jpg and a.png; name it a.jpg.txt" },
    { { FILE_OF("a.txt", "x\ny\0z"), FILE_OF("a.jpg", "") },
      LIMN_E_FORMAT,
      "a.txt: line 2, byte 2: NUL" },
    { { FILE_OF("a.txt", "x\xFF"), FILE_OF("a.jpg", "") },
      LIMN_E_FORMAT,
      "a.txt: line 1, byte 2: invalid" },
    { { FILE_OF("\xFF.txt", "x"), FILE_OF("\xFF.jpg", "") },
      LIMN_E_FORMAT,
      "name is not valid UTF-8" },
};

static void test_bad_folders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_folders / sizeof *bad_folders; i++) {
        limn_caption_file file;
        limn_error err = { 0 };
        make_files(bad_folders[i].files);
        const limn_status status = limn_caption_file_read(&file, temp_folder, NULL, &err);
        if (status != bad_folders[i].status || !strstr(err.text, bad_folders[i].text))
            fail_msg("folder %zu: status %d, \"%s\"", i, status, err.text);
        assert_non_null(strstr(err.text, temp_folder));
        assert_null(file.records);
        remove_files(bad_folders[i].files);
    }
}

static void test_a_split_of_a_folder(void **state)
{
    limn_caption_file file;
    (void)state;
    assert_int_equal(limn_caption_file_read(&file, temp_folder,
                                            &(limn_caption_reading){ .split = "test" }, NULL),
                     LIMN_E_ARG);
}

/* img2dataset writes NAME.jpg, NAME.txt and NAME.json: the text counts unless it is empty. */
static void test_json_beside_images(void **state)
{
    static const test_file files[MAX_FILES] = {
        FILE_OF("a.jpg", ""),
        FILE_OF("a.txt", "from text\n"),
        FILE_OF("a.json", "{\"caption\":\"from JSON\",\"key\":\"a\",\"status\":\"success\"}"),
        FILE_OF("b.jpg", ""),
        FILE_OF("b.txt", "\n"),
        FILE_OF("b.json", "{\"caption\":\"b's\"}"),
        FILE_OF("c.jpg", ""),
        FILE_OF("c.json", "{\"caption\":[\"c's\",\"and more\"]}"),
        FILE_OF("d.jpg", ""),
        FILE_OF("d.json", "{\"title\":\"d.jpg\",\"description\":\"of another program\"}"),
        FILE_OF("e.json", "{\"caption\":\"of no image\"}"),
    };
    (void)state;
    check_records(files, "0 a.jpg from text|1 b.jpg b's|2 c.jpg c's|2 c.jpg and more|", NULL);
}

static void test_text_beside_images_in_utf16(void **state)
{
    static const test_file files[MAX_FILES] = {
        FILE_OF("a.jpg", ""),
        FILE_OF("a.txt", "\xFF\xFE"
                         "o\0n\0e\0"),
    };
    (void)state;
    check_records(files, "0 a.jpg one|", NULL);
}

static void test_a_long_text_file(void **state)
{
    enum { SIZE = (1 << 20) + 1 };
    char *bytes = malloc(SIZE);
    limn_caption_file file;
    limn_error err = { 0 };
    (void)state;
    memset(bytes, '\n', SIZE);
    const test_file files[MAX_FILES] = { FILE_OF("a.jpg", ""), { "a.txt", bytes, SIZE } };
    make_files(files);
    assert_int_equal(limn_caption_file_read(&file, temp_folder, NULL, &err), LIMN_E_LIMIT);
    assert_non_null(strstr(err.text, "a.txt"));
    remove_files(files);
    free(bytes);
}

/* Text without images: a caption per line, or any other format. */
static void test_plain_text(void **state)
{
    static const struct {
        const char *bytes, *format, *last_id, *last_caption;
    } cases[] = {
        { "\nA dog.\n\nTwo\tdogs.\n", "text", "2", "Two\tdogs." },
        { "7\tA dog.\n8\tTwo dogs.\n", "TSV", "8", "Two dogs." },
        { "{\"id\":1,\"caption\":\"x\"}\n", "JSONL", "1", "x" },
    };
    const char *path = temp_path("texts");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_caption_file file;
        assert_int_equal(limn_file_replace(path, cases[i].bytes, strlen(cases[i].bytes), NULL),
                         LIMN_OK);
        assert_int_equal(limn_caption_file_read(
                             &file, path, &(limn_caption_reading){ .may_be_plain = true }, NULL),
                         LIMN_OK);
        assert_string_equal(file.format, cases[i].format);
        assert_string_equal(file.records[file.n_records - 1].id, cases[i].last_id);
        assert_string_equal(file.records[file.n_records - 1].caption, cases[i].last_caption);
        limn_caption_file_finish(&file);
    }
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_stand_beside_their_images),
        cmocka_unit_test(test_whole_names),
        cmocka_unit_test(test_text_is_no_image),
        cmocka_unit_test(test_bad_folders),
        cmocka_unit_test(test_a_split_of_a_folder),
        cmocka_unit_test(test_json_beside_images),
        cmocka_unit_test(test_text_beside_images_in_utf16),
        cmocka_unit_test(test_a_long_text_file),
        cmocka_unit_test(test_plain_text),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

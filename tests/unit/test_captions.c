#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/buffer.h"
#include "common/io/captions.h"
#include "common/io/fileio.h"
#include "tests/unit/temp_folder.h"

static limn_status read_bytes(limn_caption_file *out, const char *bytes, size_t size,
                              const char *split, limn_error *err)
{
    const char *path = temp_path("captions");
    assert_int_equal(limn_file_replace(path, bytes, size, NULL), LIMN_OK);
    return limn_caption_file_read(out, path, &(limn_caption_reading){ .split = split }, err);
}

/* All records as "entry id (alias) caption|", for comparison. */
static void render(limn_buffer *out, const limn_caption_file *file)
{
    limn_buffer_clear(out);
    for (size_t i = 0; i < file->n_records; i++) {
        const limn_caption_record *r = &file->records[i];
        limn_buffer_printf(out, "%zu %s", r->entry, r->id);
        if (r->alias) limn_buffer_printf(out, " (%s)", r->alias);
        limn_buffer_printf(out, " %s|", r->caption ? r->caption : "NONE");
    }
}

typedef struct good_file {
    const char *format, *bytes, *split, *records;
} good_file;

static const char annotations[] =
    "{\"info\":{},\"images\":[{\"id\":7,\"file_name\":\"x.jpg\"}],\"annotations\":["
    "{\"image_id\":7,\"id\":1,\"caption\":\"A dog.\"},{\"image_id\":8,\"id\":2,\"caption\":\"\"}]}";
static const char karpathy[] =
    "{\"images\":[{\"filename\":\"a.jpg\",\"split\":\"train\",\"sentences\":[{\"raw\":\"A.\"}]},\n"
    "{\"filename\":\"b.jpg\",\"cocoid\":9,\"split\":\"test\",\"sentences\":[{\"raw\":\"B one.\"},"
    "{\"tokens\":[\"b\",\"two\"]}]}]}";

static const good_file good_files[] = {
    { "TSV", "a.jpg#0\tA dog .\na.jpg#1\ttwo\r\n\nb.jpg.1#0\t\n", NULL,
      "0 a.jpg A dog .|1 a.jpg two|2 b.jpg.1 |" },
    { "TSV",
      "\xEF\xBB\xBF"
      "a#x\tone\ttwo",
      NULL, "0 a#x one\ttwo|" },
    { "JSONL",
      "{\"file\":\"p/a.jpg\",\"caption\":\"x\",\"logprob\":-1.5,\"captions\":[{\"caption\":\"x\"},"
      "{\"caption\":\"y\"}]}\n{\"file\":\"b\",\"error\":{\"kind\":\"format\"}}\n"
      "{\"image\":\"c\",\"captions\":[\"r\",\"s\"]}\n{\"id\":5,\"text\":null}\n",
      NULL, "0 p/a.jpg x|0 p/a.jpg y|1 b NONE|2 c r|2 c s|3 5 NONE|" },
    { "COCO results",
      "[{\"image_id\":4,\"caption\":\"one\"},\n{\"image_id\":\"s\",\"caption\":\"t\"}]", NULL,
      "0 4 one|1 s t|" },
    { "COCO annotations", annotations, NULL, "0 7 (x.jpg) A dog.|1 8 |" },
    { "Karpathy JSON", karpathy, NULL, "0 a.jpg A.|1 b.jpg (9) B one.|2 b.jpg (9) b two|" },
    { "Karpathy JSON", karpathy, "test", "1 b.jpg (9) B one.|2 b.jpg (9) b two|" },
    { "CSV", "image,caption\r\na.jpg,A dog\r\nb.jpg,\"says \"\"hi\"\",\r\ntwice\"\r\n\nc,\"\"",
      NULL, "0 a.jpg A dog|1 b.jpg says \"hi\",\r\ntwice|2 c |" },
    { "CSV", "\"text\",n,\"file_name\"\nx,1,a\n", NULL, "0 a x|" },
    { "TSV with a header", "file\tcaption\tscore\na.jpg\ta \"dog\"\t-1\nb.jpg\t\"b\t-2\n", NULL,
      "0 a.jpg a \"dog\"|1 b.jpg \"b|" },
};

static void test_every_format_is_told_by_content(void **state)
{
    limn_buffer text = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof good_files / sizeof *good_files; i++) {
        const good_file *g = &good_files[i];
        limn_caption_file file;
        assert_int_equal(read_bytes(&file, g->bytes, strlen(g->bytes), g->split, NULL), LIMN_OK);
        assert_string_equal(file.format, g->format);
        render(&text, &file);
        assert_string_equal(text.bytes, g->records);
        limn_caption_file_finish(&file);
    }
    limn_buffer_finish(&text);
}

static void test_each_may_be_gzipped(void **state)
{
    limn_buffer text = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof good_files / sizeof *good_files; i++) {
        const good_file *g = &good_files[i];
        const size_t half = strlen(g->bytes) / 2;
        limn_caption_file file;
        /* In two members, one after the other, as `cat a.gz b.gz` has them. */
        gzFile gz = gzopen(temp_path("captions"), "wb");
        gzwrite(gz, g->bytes, (unsigned)half);
        gzclose(gz);
        gz = gzopen(temp_path("captions"), "ab");
        gzwrite(gz, g->bytes + half, (unsigned)(strlen(g->bytes) - half));
        gzclose(gz);
        assert_int_equal(limn_caption_file_read(&file, temp_path("captions"),
                                                &(limn_caption_reading){ .split = g->split }, NULL),
                         LIMN_OK);
        render(&text, &file);
        assert_string_equal(text.bytes, g->records);
        limn_caption_file_finish(&file);
    }
    limn_buffer_finish(&text);
}

typedef struct bad_file {
    const char *bytes;
    size_t size; /* 0: up to the NUL */
    const char *split;
    limn_status status;
    const char *text; /* part of the error */
} bad_file;

static const bad_file bad_files[] = {
    { "", 0, NULL, LIMN_E_FORMAT, "empty" },
    { " \n", 0, NULL, LIMN_E_FORMAT, "empty" },
    { "a\tx\nb y\n", 0, NULL, LIMN_E_FORMAT, "line 2: no tab" },
    { "a\tx\n\ty\n", 0, NULL, LIMN_E_FORMAT, "line 2: the picture's name is empty" },
    { "a\tx\nb\ty\0z\n", 10, NULL, LIMN_E_FORMAT, "line 2, byte 4: NUL" },
    { "a\tx\nb\tyz\xFF\n", 0, NULL, LIMN_E_FORMAT, "line 2, byte 5: invalid UTF-8 (0xFF)" },
    { "a\tx", 0, "test", LIMN_E_ARG, "no splits" },
    { karpathy, 0, "tset", LIMN_E_ARG, "\"tset\"" },
    { "{\"id\":1,\"caption\":\"x\"}\n{\"id\":2}\n", 0, NULL, LIMN_E_FORMAT,
      "line 2: no field for the caption among \"id\"; known are caption" },
    { "{\"id\":1,\"caption\":\"x\"}\n{\"id\":\n", 0, NULL, LIMN_E_FORMAT, "line 2: JSON" },
    { "{\"id\":1,\"captions\":[\"x\",3]}\n", 0, NULL, LIMN_E_FORMAT, "captions[1]" },
    { "{\"caption\":\"x\"}\n", 0, NULL, LIMN_E_FORMAT,
      "no field for the picture among \"caption\"; known are file file_name" },
    { "{\"id\":1,\"caption\":\"a\\u0000b\"}\n", 0, NULL, LIMN_E_FORMAT, "u0000" },
    { "[{\"image_id\":1,\"caption\":7}]", 0, NULL, LIMN_E_FORMAT, "[0].caption" },
    { "[{\"image_id\":1.5,\"caption\":\"x\"}]", 0, NULL, LIMN_E_FORMAT, "[0].image_id" },
    { "[]", 0, NULL, LIMN_E_FORMAT, "no caption" },
    { "{\"annotations\":{}}", 0, NULL, LIMN_E_FORMAT, "annotations" },
    { "{\"annotations\":[{\"image_id\":1}]}", 0, NULL, LIMN_E_FORMAT, "annotations[0]" },
    { "{\"images\":[{\"filename\":\"a\",\"sentences\":[{}]}]}", 0, NULL, LIMN_E_FORMAT,
      "images[0].sentences[0]" },
    { "image,caption\na\n", 0, NULL, LIMN_E_FORMAT, "line 2: 1 fields, but the header has 2" },
    { "image,caption\na,\"b\nc\n", 0, NULL, LIMN_E_FORMAT, "line 2: a quoted field without" },
    { "image,caption\na,\"b\"c\n", 0, NULL, LIMN_E_FORMAT, "line 2: text after a closing quote" },
    { "image,caption\na,b\xC3\n", 0, NULL, LIMN_E_FORMAT, "line 2, byte 3: invalid UTF-8" },
    { "\x1F\x8B\x08\x00", 4, NULL, LIMN_E_TRUNCATED, "too early" },
    { "\x1F\x8Bxxxxxxxxxxxx", 0, NULL, LIMN_E_FORMAT, "gzip" },
};

static void test_bad_files_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        const bad_file *b = &bad_files[i];
        limn_caption_file file;
        limn_error err = { 0 };
        const limn_status status =
            read_bytes(&file, b->bytes, b->size ? b->size : strlen(b->bytes), b->split, &err);
        if (status != b->status || !strstr(err.text, b->text))
            fail_msg("file %zu: status %d, \"%s\" lacks \"%s\"", i, status, err.text, b->text);
        assert_non_null(strstr(err.text, temp_path("captions")));
        assert_null(file.records);
    }
}

static void test_limits(void **state)
{
    enum { SIZE = 10 * 1024 * 1024 };
    static const struct {
        const char *head, *unit, *text;
        size_t size;
    } cases[] = {
        { "a\t", "x", "line 1: 10485760 bytes exceed", SIZE },
        { "a\t", "x", "line 1: a caption of", LIMN_CAPTION_MAX_SIZE + 100 },
        { "image,caption\na,\"", "x", "line 2: a row of more than 1048576 bytes", SIZE },
        { "image,caption\na,", "x", "bytes exceed the limit of 1048576", SIZE },
        { "[", "[", "nested", 100000 },
    };
    char *bytes = malloc(SIZE);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_caption_file file;
        limn_error err = { 0 };
        memset(bytes, cases[i].unit[0], cases[i].size);
        memcpy(bytes, cases[i].head, strlen(cases[i].head));
        assert_int_not_equal(read_bytes(&file, bytes, cases[i].size, NULL, &err), LIMN_OK);
        if (!strstr(err.text, cases[i].text))
            fail_msg("limit %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].text);
    }
    free(bytes);
}

/* No cut of a good file may crash or hang; whether it is an error depends on the format. */
static void test_every_prefix_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_files / sizeof *good_files; i++) {
        const good_file *g = &good_files[i];
        for (size_t size = 0; size < strlen(g->bytes); size++) {
            limn_caption_file file;
            if (read_bytes(&file, g->bytes, size, g->split, NULL) == LIMN_OK)
                limn_caption_file_finish(&file);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_format_is_told_by_content),
        cmocka_unit_test(test_each_may_be_gzipped),
        cmocka_unit_test(test_bad_files_are_named),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_prefix_ends),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

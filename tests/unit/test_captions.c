#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/buffer.h"
#include "common/io/captions.h"
#include "tests/unit/temp_folder.h"

static limn_status read_bytes(limn_caption_file *out, const char *bytes, size_t size,
                              const char *split, limn_error *err)
{
    const char *path = temp_path("captions");
    FILE *file = fopen(path, "wb"); /* no fsync: there are thousands */
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
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

/* Formats of data sets, with what their usual readers make of them. */
static const good_file field_files[] = {
    /* Flickr30k's results.csv (Kaggle), whose row 19,999 lacks a bar */
    { "CSV with bars",
      "image_name| comment_number| comment\na.jpg| 0| A dog , \"big\" .\n"
      "b.jpg| 4   A dog runs across the grass .\n",
      NULL, "0 a.jpg A dog , \"big\" .|1 b.jpg A dog runs across the grass .|" },
    /* flickr_annotations_30k.csv of nlphuji/flickr30k on Hugging Face */
    { "CSV",
      "raw,sentids,split,filename,img_id\n\"[\"\"A, b.\"\", \"\"C.\"\"]\",\"[0, "
      "1]\",train,a.jpg,7\n",
      NULL, "0 a.jpg (7) A, b.|0 a.jpg (7) C.|" },
    { "CSV", "split,image,caption\ntest,a,one\nrestval,b,two\ntrain,c,three\n", "train,restval",
      "1 b two|2 c three|" },
    /* clotho_captions_evaluation.csv */
    { "CSV", "file_name,caption_1,caption_2,caption_3\r\na.wav,x,\"y, z\",\r\n", NULL,
      "0 a.wav x|1 a.wav y, z|" },
    /* artemis_dataset_release_v0.csv */
    { "CSV", "art_style,painting,emotion,utterance,repetition\nCubism,a,awe,\"It, glows\",3\n",
      NULL, "0 a It, glows|" },
    /* Excel: semicolons where the comma is decimal, with and without its "sep=" line */
    { "CSV with semicolons", "\xEF\xBB\xBFImage; Caption\r\na.jpg;\"x; y\"\r\n", NULL,
      "0 a.jpg x; y|" },
    { "CSV with semicolons", "sep=;\r\nimage;caption\r\na.jpg;x\r\n", NULL, "0 a.jpg x|" },
    { "CSV", "image,caption\ra.jpg,x\rb.jpg,y\r", NULL, "0 a.jpg x|1 b.jpg y|" },
    { "CSV", ",filepath,title\n0,a.jpg,x\n", NULL, "0 a.jpg x|" },          /* pandas' index */
    { "CSV", "URL,TEXT\nhttp://h/a.jpg,x\n", NULL, "0 http://h/a.jpg x|" }, /* LAION */
    /* a surplus comma in the last column is the caption's */
    { "CSV", "image,caption\na.jpg,x, y, z\nb.jpg,'p, q'\n", NULL,
      "0 a.jpg x, y, z|1 b.jpg 'p, q'|" },
    /* Conceptual Captions, Train_GCC-training.tsv */
    { "TSV", "a dog runs\thttp://h/a.jpg\nx y\thttps://h/b?n=1\n", NULL,
      "0 http://h/a.jpg a dog runs|1 https://h/b?n=1 x y|" },
    /* Flickr8k-CN and COCO-CN (li-xirong) */
    { "TSV", "a.jpg#zhc#0 \xE7\xBA\xA2 \xE8\x89\xB2\nb.jpg#zhc#1\tx\n", NULL,
      "0 a.jpg \xE7\xBA\xA2 \xE8\x89\xB2|1 b.jpg x|" },
    /* Flickr8k.token.txt has this name */
    { "TSV", "a.jpg.1#0\tx\nb.jpg#0\ty\nc.jpg#0\tz\n", NULL, "0 a.jpg.1 x|1 b.jpg y|2 c.jpg z|" },
    /* TextCaps_0.1_val.json */
    { "JSON",
      "{\"dataset_name\":\"textcaps\",\"data\":[{\"caption_id\":0,\"caption_str\":\"one\",\"image_"
      "id\":"
      "\"a\",\"image_name\":\"a\",\"image_path\":\"train/"
      "a.jpg\",\"reference_strs\":[\"one\",\"two\"]}]}",
      NULL, "0 train/a.jpg (a) one|" },
    /* Localized Narratives */
    { "JSONL",
      "{\"dataset_id\":\"open_images\",\"image_id\":\"0a\",\"annotator_id\":3,\"caption\":\"x\","
      "\"timed_caption\":[{\"utterance\":\"x\"}]}\n{\"image_id\":\"0b\",\"caption\":\"y\"}",
      NULL, "0 0a x|1 0b y|" },
    /* LAVIS' coco_karpathy_test.json and coco_karpathy_train.json */
    { "COCO results",
      "[{\"image\":\"val2014/COCO_val2014_000000391895.jpg\",\"caption\":[\"a b\",\"c d\"]},"
      "{\"caption\":\"e f\",\"image\":\"b.jpg\",\"image_id\":\"coco_522418\"}]",
      NULL,
      "0 val2014/COCO_val2014_000000391895.jpg a b|0 val2014/COCO_val2014_000000391895.jpg c d|"
      "1 b.jpg (coco_522418) e f|" },
    /* AI Challenger */
    { "COCO results", "[{\"url\":\"http://h/x\",\"image_id\":\"a.jpg\",\"caption\":[\"p\",\"\"]}]",
      NULL, "0 a.jpg p|0 a.jpg |" },
    /* Hugging Face's datasets as JSONL */
    { "JSONL",
      "{\"image\":{\"bytes\":null,\"path\":\"a.jpg\"},\"caption\":[\"x y\"],\"img_id\":\"0\"}\n"
      "{\"image\":{\"bytes\":\"\"},\"file_name\":\"b.jpg\",\"text\":\"z\"}\n",
      NULL, "0 a.jpg (0) x y|1 b.jpg z|" },
    { "JSON captions by image", "{\"391895\":[\"a b\",\"c\"],\"b.jpg\":\"d\"}", NULL,
      "0 391895 a b|0 391895 c|1 b.jpg d|" },
    { "COCO results",
      "[{\"img_id\":\"a.jpg\",\"prediction\":[[\"x y\"]]},{\"image_id\":7.0,\"caption\":\"z\"}]",
      NULL, "0 a.jpg x y|1 7 z|" },
    /* pycocotools' loadRes: image_id is the image, id the caption's own number */
    { "COCO results",
      "[{\"id\":1,\"image_id\":9,\"caption\":\"x\"},{\"id\":2,\"image\":\"b\",\"caption\":\"y\"}]",
      NULL, "0 9 x|1 b (2) y|" },
    /* VizWiz: a caption that is marked as rejected counts as none */
    { "COCO annotations",
      "{\"annotations\":[{\"image_id\":1,\"id\":4,\"caption\":\"x\",\"is_rejected\":true,\"is_"
      "precanned\":"
      "false},{\"image_id\":2,\"id\":5,\"caption\":\"y\",\"is_rejected\":false,\"is_precanned\":"
      "false}]}",
      NULL, "0 1 NONE|1 2 y|" },
    { "CSV", "image,caption,is_precanned\na,x,True\nb,y,False\nc,z,0\nd,w,yes\n", NULL,
      "0 a NONE|1 b y|2 c z|3 d NONE|" },
    { "COCO results",
      "[{\"image_id\":1,\"caption\":\"x\",\"is_rejected\":1},{\"image_id\":2,\"caption\":\"y\","
      "\"is_rejected\":0},{\"image_id\":3,\"caption\":\"z\",\"is_precanned\":\"true\"},{\"image_"
      "id\":"
      "4,\"caption\":\"w\",\"is_precanned\":\"false\"}]",
      NULL, "0 1 NONE|1 2 y|2 3 NONE|3 4 w|" },
};

static void test_formats_of_the_field(void **state)
{
    limn_buffer text = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof field_files / sizeof *field_files; i++) {
        const good_file *g = &field_files[i];
        limn_caption_file file;
        limn_error err = { 0 };
        if (read_bytes(&file, g->bytes, strlen(g->bytes), g->split, &err) != LIMN_OK)
            fail_msg("file %zu: %s", i, err.text);
        assert_string_equal(file.format, g->format);
        render(&text, &file);
        assert_string_equal(text.bytes, g->records);
        limn_caption_file_finish(&file);
    }
    limn_buffer_finish(&text);
}

static void test_rejected_captions_are_kept_when_asked_for(void **state)
{
    static const char bytes[] = "{\"image_id\":1,\"caption\":\"x\",\"is_rejected\":true}\n{\"image_"
                                "id\":2,\"caption\":\"y\"}";
    limn_caption_file file;
    (void)state;
    assert_int_equal(read_bytes(&file, bytes, strlen(bytes), NULL, NULL), LIMN_OK);
    assert_int_equal(file.n_rejected, 1);
    assert_true(file.records[0].is_rejected);
    limn_caption_file_finish(&file);
    assert_int_equal(limn_caption_file_read(&file, temp_path("captions"),
                                            &(limn_caption_reading){ .keep_rejected = true }, NULL),
                     LIMN_OK);
    assert_int_equal(file.n_rejected, 0);
    assert_string_equal(file.records[0].caption, "x");
    limn_caption_file_finish(&file);
}

/* As Python's str.encode("utf-16-le") and "utf-16-be" write it, with a byte order mark. */
static void test_utf16(void **state)
{
    static const char little[] = "\xFF\xFE"
                                 "a\0\t\0=\xD8\0\xDE\xE9\0\n\0";
    static const char big[] = "\xFE\xFF"
                              "\0a\0\t\xD8=\xDE\0\0\xE9\0\n";
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = { { little, sizeof little - 1 }, { big, sizeof big - 1 } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        limn_caption_file file;
        assert_int_equal(read_bytes(&file, files[i].bytes, files[i].size, NULL, NULL), LIMN_OK);
        assert_string_equal(file.records[0].id, "a");
        assert_string_equal(file.records[0].caption, "\xF0\x9F\x98\x80\xC3\xA9");
        limn_caption_file_finish(&file);
    }
}

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
        /* In two members, one after the other, as `cat a.gz b.gz` gives them. */
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
    { "a\tx\n\ty\n", 0, NULL, LIMN_E_FORMAT, "line 2: the image's name is empty" },
    { "a\tx\nb\ty\0z\n", 10, NULL, LIMN_E_FORMAT, "line 2, byte 4: NUL" },
    { "a\tx\nb\tyz\xFF\n", 0, NULL, LIMN_E_FORMAT, "line 2, byte 5: invalid UTF-8 (0xFF)" },
    { "a\tx", 0, "test", LIMN_E_ARG, "no field" },
    { karpathy, 0, "tset", LIMN_E_ARG, "\"tset\"" },
    { "{\"id\":1,\"caption\":\"x\"}\n{\"id\":2}\n", 0, NULL, LIMN_E_FORMAT,
      "line 2: no field for the caption among \"id\"; known are caption" },
    { "{\"id\":1,\"caption\":\"x\"}\n{\"id\":\n", 0, NULL, LIMN_E_FORMAT, "line 2: JSON" },
    { "{\"id\":1,\"captions\":[\"x\",3]}\n", 0, NULL, LIMN_E_FORMAT, "captions[1]" },
    { "{\"caption\":\"x\"}\n", 0, NULL, LIMN_E_FORMAT,
      "no field for the image among \"caption\"; known are file file_name" },
    { "{\"id\":1,\"caption\":\"a\\u0000b\"}\n", 0, NULL, LIMN_E_FORMAT, "u0000" },
    { "[{\"image_id\":1,\"caption\":7}]", 0, NULL, LIMN_E_FORMAT, "[0].caption" },
    { "[{\"image_id\":1.5,\"caption\":\"x\"}]", 0, NULL, LIMN_E_FORMAT, "[0].image_id" },
    { "[]", 0, NULL, LIMN_E_FORMAT, "no caption" },
    { "{\"annotations\":{}}", 0, NULL, LIMN_E_FORMAT, "annotations" },
    { "{\"annotations\":[{\"image_id\":1}]}", 0, NULL, LIMN_E_FORMAT, "annotations[0]" },
    { "{\"images\":[{\"filename\":\"a\",\"sentences\":[{}]}]}", 0, NULL, LIMN_E_FORMAT,
      "images[0].sentences[0]" },
    { "image,caption\na\n", 0, NULL, LIMN_E_FORMAT, "line 2: 1 field, but the header has 2" },
    { "image,caption\na,\"b\nc\n", 0, NULL, LIMN_E_FORMAT, "line 2: a quoted field without" },
    { "image,caption\na,\"b\"c\n", 0, NULL, LIMN_E_FORMAT, "line 2: text after a closing quote" },
    { "image,caption\na,b\xC3\n", 0, NULL, LIMN_E_FORMAT, "line 2, byte 3: invalid UTF-8" },
    /* a surplus field: line and counts */
    { "image,caption,split\na,x, y,train\n", 0, NULL, LIMN_E_FORMAT,
      "line 2: 4 fields, but the header has 3 (a field with a comma must be in quotes)" },
    { "image,caption\na,\"x\", y\n", 0, NULL, LIMN_E_FORMAT,
      "line 2: 3 fields, but the header has 2" },
    { "caption\timage\nx\ta\nx\ty\ta\n", 0, NULL, LIMN_E_FORMAT,
      "line 3: 3 fields, but the header has 2" },
    { "image|n|caption\na|1\n", 0, NULL, LIMN_E_FORMAT, "line 2: 2 fields, but the header has 3" },
    { "image,caption,id\n,x,7\n", 0, NULL, LIMN_E_FORMAT, "line 2: the image's name is empty" },
    /* headers that are wholly or partly unknown */
    { "photo_key,caption\na,x\n", 0, NULL, LIMN_E_FORMAT,
      "the header \"photo_key,caption\" names no image; known are file file_name" },
    { "image;words\na;x\n", 0, NULL, LIMN_E_FORMAT,
      "the header \"image;words\" names no caption; known are caption captions" },
    { "photo_key\twords\na.jpg\tx\nb.jpg\ty\n", 0, NULL, LIMN_E_FORMAT,
      "looks like a header; known are file file_name" },
    { "photo_key,words\na,x\n", 0, NULL, LIMN_E_FORMAT, "painting image_id img_id" },
    { "photo_key\twords\na.jpg\tx\n", 0, NULL, LIMN_E_FORMAT, "painting image_id img_id" },
    { "key\twords\n1\tx\n22\ty\n", 0, NULL, LIMN_E_FORMAT, "looks like a header" },
    { "photo_key,words\na,x\n", 0, NULL, LIMN_E_FORMAT,
      "no tab between name and caption in \"photo_key" },
    { "image,caption\na,\"['x', 'y']\"\n", 0, NULL, LIMN_E_FORMAT, "json.dumps" },
    { "[{\"image_id\":1,\"caption\":[\"a\",\"red\",\"tram\"]}]", 0, NULL, LIMN_E_FORMAT,
      "[0].caption: is an array of single words" },
    { "{\"gts\":{\"a\":[\"x\"]},\"res\":{\"a\":[\"y\"]}}", 0, NULL, LIMN_E_FORMAT,
      "no field for the image" },
    { "image,split,caption\na,val,x\n", 0, "train,test", LIMN_E_ARG,
      "no image has the split \"train,test\"; the file has val" },
    /* errors name files that are not text */
    { "PK\3\4\x14\0", 6, NULL, LIMN_E_FORMAT, "this is an Excel workbook or another zip archive" },
    { "PAR1\x15", 5, NULL, LIMN_E_FORMAT, "this is Parquet: save the table as CSV or JSONL" },
    { "\xFF\xD8\xFF\xE0", 4, NULL, LIMN_E_FORMAT, "this is a JPEG image, not captions" },
    /* errors name other encodings */
    { "a\0\t\0x\0y\0\n\0", 10, NULL, LIMN_E_FORMAT, "UTF-16LE without a byte order mark" },
    { "\xFF\xFE\0\0a\0\0\0", 8, NULL, LIMN_E_FORMAT, "this is UTF-32: save it as UTF-8" },
    { "\0\0\0a\0\0\0\t", 8, NULL, LIMN_E_FORMAT, "this is UTF-32BE without a byte order mark" },
    /* a flag that is neither true nor false */
    { "image,caption,is_rejected\na,x,\nb,y,maybe\n", 0, NULL, LIMN_E_FORMAT,
      "captions: line 3: column 3, a flag of rejection: \"maybe\" is neither true nor false" },
    { "image,caption,is_rejected\na,x,\" no\"\nb,y,\"maybe \"\n", 0, NULL, LIMN_E_FORMAT,
      "\"maybe\" is neither" },
    { "{\"image_id\":1,\"caption\":\"x\",\"is_rejected\":\"2 of 5\"}", 0, NULL, LIMN_E_FORMAT,
      "is_rejected: \"2 of 5\" is neither true nor false" },
    { "[{\"image_id\":1,\"caption\":\"x\",\"is_precanned\":[]}]", 0, NULL, LIMN_E_FORMAT,
      "[0].is_precanned: neither true nor false" },
    { "\xFF\xFE"
      "a\0\t\0\x00\xD8",
      8, NULL, LIMN_E_FORMAT, "byte 7: broken UTF-16" },
    { "\xFF\xFE"
      "a\0\t\0x",
      7, NULL, LIMN_E_FORMAT, "broken UTF-16" },
    { "image,caption\na,it\x92s\n", 0, NULL, LIMN_E_FORMAT, "Windows-1252" },
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

/* No truncation of a good file may crash or hang; whether it is an error depends on the format. */
static void read_every_prefix(const good_file *files, size_t n_files)
{
    for (size_t i = 0; i < n_files; i++) {
        const good_file *g = &files[i];
        for (size_t size = 0; size < strlen(g->bytes); size++) {
            limn_caption_file file;
            if (read_bytes(&file, g->bytes, size, g->split, NULL) == LIMN_OK)
                limn_caption_file_finish(&file);
        }
    }
}

static void test_every_prefix_ends(void **state)
{
    (void)state;
    read_every_prefix(good_files, sizeof good_files / sizeof *good_files);
    read_every_prefix(field_files, sizeof field_files / sizeof *field_files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_format_is_told_by_content),
        cmocka_unit_test(test_formats_of_the_field),
        cmocka_unit_test(test_rejected_captions_are_kept_when_asked_for),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_each_may_be_gzipped),
        cmocka_unit_test(test_bad_files_are_named),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_prefix_ends),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

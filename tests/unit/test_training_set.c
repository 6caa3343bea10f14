#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/io/fileio.h"
#include "models/train/training_set.h"
#include "tests/unit/temp_folder.h"

static const char captions[] = "b.jpg#0\tA dog runs .\n"
                               "a.jpg#0\tThe dog!\n"
                               "b.jpg#1\tA unicorn, a dog\n"
                               "c.jpg#0\t. . .\n"
                               "a.jpg#1\tThe dog!\n"
                               "a.jpg#2\ta a a a a a\n"
                               "d.jpg#0\t\n";

static limn_vocab *make_vocab(const char *words)
{
    limn_vocab *vocab;
    char text[256];
    const int size = snprintf(text, sizeof text, "<pad>\n<s>\n</s>\n<unk>\n%s", words);
    assert_int_equal(limn_vocab_from_text(&vocab, text, (size_t)size, NULL), LIMN_OK);
    return vocab;
}

/* Makes a set of the captions in `text`, for the images in `names` (one per line), NULL = all. */
static limn_status make(limn_training_set *set, const char *text, const char *names,
                        const char *list, limn_error *err)
{
    limn_image_names wanted = { 0 };
    limn_vocab *vocab = make_vocab("a\nthe\ndog\nruns\n");
    const limn_training_set_settings settings = {
        .vocab = vocab, .max_words = 5, .names = names ? &wanted : NULL, .list = list
    };
    limn_caption_file file;
    limn_status s;
    *err = (limn_error){ 0 };
    limn_file_replace(temp_path("captions"), text, strlen(text), NULL);
    assert_int_equal(limn_caption_file_read(&file, temp_path("captions"), NULL, NULL), LIMN_OK);
    if (names) {
        limn_file_replace(temp_path("names"), names, strlen(names), NULL);
        assert_int_equal(limn_image_names_read(&wanted, temp_path("names"), NULL), LIMN_OK);
    }
    s = limn_training_set_create(set, &file, &settings, err);
    limn_caption_file_finish(&file); /* the set keeps no reference to them */
    limn_image_names_finish(&wanted);
    limn_vocab_destroy(&vocab);
    return s;
}

/* Prints "name: 4 5|4 3 = text|" … for all images. */
static void render(limn_buffer *out, const limn_training_set *set)
{
    limn_buffer_clear(out);
    for (size_t p = 0; p < set->n_images; p++) {
        limn_buffer_printf(out, "%s:", limn_training_set_name(set, p));
        for (size_t c = set->first_captions[p]; c < set->first_captions[p + 1]; c++) {
            for (size_t i = set->offsets[c]; i < set->offsets[c + 1]; i++)
                limn_buffer_printf(out, " %u", (unsigned)set->tokens[i]);
            limn_buffer_printf(out, " = %s|", set->texts[c]);
        }
    }
}

static void assert_set(const limn_training_set *set, const char *expected)
{
    limn_buffer text = { 0 };
    render(&text, set);
    assert_string_equal(text.bytes, expected);
    limn_buffer_finish(&text);
}

static void test_captions_come_image_by_image(void **state)
{
    limn_training_set set;
    limn_error err;
    (void)state;
    assert_int_equal(make(&set, captions, NULL, NULL, &err), LIMN_OK);
    assert_set(&set, "b.jpg: 4 6 7 = a dog runs| 4 3 4 6 = a unicorn a dog|"
                     "a.jpg: 5 6 = the dog| 5 6 = the dog|");
    assert_int_equal(set.n_captions, 4);
    assert_int_equal(set.n_words, 11);
    assert_int_equal(set.n_unknown, 1);
    assert_int_equal(set.report.empty.n, 2);
    assert_string_equal(set.report.empty.first[0], "c.jpg");
    assert_string_equal(set.report.empty.first[1], "d.jpg");
    assert_int_equal(set.report.too_long.n, 1);
    assert_string_equal(set.report.too_long.first[0], "a.jpg");
    assert_int_equal(set.report.unlisted.n, 0);
    assert_int_equal(set.report.without.n, 2);
    assert_string_equal(set.report.without.first[0], "c.jpg");
    limn_training_set_finish(&set);
    limn_training_set_finish(&set);
}

static void test_a_list_says_which_images_in_which_order(void **state)
{
    limn_training_set set;
    limn_error err;
    (void)state;
    assert_int_equal(make(&set, captions, "c.jpg\nphotos/a.jpg\nb.jpg", "train.txt", &err),
                     LIMN_OK);
    assert_set(&set, "photos/a.jpg: 5 6 = the dog| 5 6 = the dog|"
                     "b.jpg: 4 6 7 = a dog runs| 4 3 4 6 = a unicorn a dog|");
    assert_int_equal(set.report.unlisted.n, 1);
    assert_string_equal(set.report.unlisted.first[0], "d.jpg");
    assert_int_equal(set.report.without.n, 1);
    assert_string_equal(set.report.without.first[0], "c.jpg");
    assert_int_equal(limn_image_names_find(&set.names, "b.jpg"), 1);
    limn_training_set_finish(&set);
}

static void test_a_list_with_an_image_that_has_no_caption_is_an_error(void **state)
{
    limn_training_set set;
    limn_error err;
    (void)state;
    assert_int_equal(make(&set, captions, "a.jpg\nother.jpg", "train.txt", &err), LIMN_E_ARG);
    assert_string_equal(err.text, "train.txt: other.jpg has no caption in the caption file");
    assert_int_equal(make(&set, captions, "a.jpg\nother.jpg", NULL, &err), LIMN_OK);
    assert_set(&set, "a.jpg: 5 6 = the dog| 5 6 = the dog|");
    assert_string_equal(set.report.without.first[0], "other.jpg");
    limn_training_set_finish(&set);
}

static void test_a_set_without_captions_is_an_error(void **state)
{
    limn_training_set set;
    limn_error err;
    (void)state;
    assert_int_equal(make(&set, captions, "c.jpg", NULL, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "no captions left; left out: 6 of unlisted images, 1 without "
                                  "words, longer than 5 words: 0");
}

static void test_only_the_first_few_are_named(void **state)
{
    limn_buffer text = { 0 };
    limn_training_set set;
    limn_error err;
    (void)state;
    for (int i = 0; i < 9; i++) limn_buffer_printf(&text, "%d.jpg\t!\n", i);
    limn_buffer_append_text(&text, "x.jpg\ta\n");
    assert_int_equal(make(&set, text.bytes, NULL, NULL, &err), LIMN_OK);
    assert_int_equal(set.report.empty.n, 9);
    for (int i = 0; i < LIMN_TRAINING_N_NAMED; i++)
        assert_int_equal(set.report.empty.first[i][0], '0' + i);
    limn_training_set_finish(&set);
    limn_buffer_finish(&text);
}

static void test_coco_s_captions_are_found_by_file_name(void **state)
{
    static const char coco[] =
        "{\"images\":[{\"id\":7,\"file_name\":\"x.jpg\"},{\"id\":8,\"file_name\":\"y.jpg\"}],"
        "\"annotations\":[{\"image_id\":8,\"id\":1,\"caption\":\"A dog.\"},"
        "{\"image_id\":7,\"id\":2,\"caption\":\"Dog\"}]}";
    limn_training_set set;
    limn_error err;
    (void)state;
    assert_int_equal(make(&set, coco, "x.jpg\ny.jpg", "list", &err), LIMN_OK);
    assert_set(&set, "x.jpg: 6 = dog|y.jpg: 4 6 = a dog|");
    limn_training_set_finish(&set);
    assert_int_equal(make(&set, coco, NULL, NULL, &err), LIMN_OK);
    assert_set(&set, "y.jpg: 4 6 = a dog|x.jpg: 6 = dog|");
    limn_training_set_finish(&set);
}

static void test_text_needs_no_images(void **state)
{
    static const struct {
        const char *text, *set;
    } cases[] = {
        { "17\tA dog\n17\tthe dog\n9\truns\n", "17: 4 6 = a dog| 5 6 = the dog|9: 7 = runs|" },
        { "A dog.\n\nThe dog runs\n", "1: 4 6 = a dog|2: 5 6 7 = the dog runs|" },
    };
    limn_vocab *vocab = make_vocab("a\nthe\ndog\nruns\n");
    const limn_training_set_settings settings = { .vocab = vocab, .max_words = 5 };
    limn_training_set set;
    limn_error err = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_file_replace(temp_path("text"), cases[i].text, strlen(cases[i].text), NULL);
        assert_int_equal(limn_training_set_read_text(&set, temp_path("text"), &settings, &err),
                         LIMN_OK);
        assert_set(&set, cases[i].set);
        limn_training_set_finish(&set);
    }
    limn_file_replace(temp_path("text"), "?\n", 2, NULL);
    assert_int_equal(limn_training_set_read_text(&set, temp_path("text"), &settings, &err),
                     LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "/text: no captions left"));
    limn_vocab_destroy(&vocab);
}

/* A vocabulary of characters (it has the space token) splits captions into characters. */
static void test_characters_are_tokens_where_the_vocabulary_has_them(void **state)
{
    limn_vocab *vocab = make_vocab("\xE2\x96\x81\n\xE7\x8B\x97\n\xE4\xB8\x80\n");
    const limn_training_set_settings settings = { .vocab = vocab, .max_words = 5 };
    static const char text[] = "x.jpg\t\xE4\xB8\x80 \xE7\x8B\x97.\n";
    limn_training_set set;
    (void)state;
    limn_file_replace(temp_path("text"), text, sizeof text - 1, NULL);
    assert_int_equal(limn_training_set_read_text(&set, temp_path("text"), &settings, NULL),
                     LIMN_OK);
    assert_set(&set, "x.jpg: 6 4 5 3 = \xE4\xB8\x80 \xE2\x96\x81 \xE7\x8B\x97 .|");
    limn_training_set_finish(&set);
    limn_vocab_destroy(&vocab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_come_image_by_image),
        cmocka_unit_test(test_a_list_says_which_images_in_which_order),
        cmocka_unit_test(test_a_list_with_an_image_that_has_no_caption_is_an_error),
        cmocka_unit_test(test_a_set_without_captions_is_an_error),
        cmocka_unit_test(test_only_the_first_few_are_named),
        cmocka_unit_test(test_coco_s_captions_are_found_by_file_name),
        cmocka_unit_test(test_text_needs_no_images),
        cmocka_unit_test(test_characters_are_tokens_where_the_vocabulary_has_them),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

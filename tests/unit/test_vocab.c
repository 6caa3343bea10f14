#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "decoder/vocab.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/own_tokens.h"

#define SPECIAL "<pad>\n<s>\n</s>\n<unk>\n"

static limn_status read_text(limn_vocab **v, const char *text, size_t size, limn_error *err)
{
    const char *path = temp_path("vocab.txt");
    assert_int_equal(limn_file_replace(path, text, size, NULL), LIMN_OK);
    return limn_vocab_read(v, path, err);
}

static void test_words_are_found_and_joined(void **state)
{
    limn_vocab *v;
    char text[32];
    static const uint32_t ids[] = { 1, 5, 4, 3, 6, 2 };
    static const char words[] = SPECIAL "dog\na\ncafé"; /* no newline at the end */
    (void)state;
    assert_int_equal(read_text(&v, words, strlen(words), NULL), LIMN_OK);
    assert_int_equal(limn_vocab_n_tokens(v), 7);
    assert_string_equal(limn_vocab_text(v, 6), "café");
    assert_int_equal(limn_vocab_find(v, "dog", 3), 4);
    assert_int_equal(limn_vocab_find(v, "dogs", 4), TOKEN_UNKNOWN);
    assert_int_equal(limn_vocab_find(v, "do", 2), TOKEN_UNKNOWN);
    assert_int_equal(limn_vocab_find(v, "</s>", 4), TOKEN_END);
    assert_int_equal(limn_vocab_join(text, sizeof text, v, ids, 6), strlen("a dog café"));
    assert_string_equal(text, "a dog café");
    memset(text, 'x', sizeof text);
    assert_int_equal(limn_vocab_join(text, 4, v, ids, 6), strlen("a dog café"));
    assert_string_equal(text, "a d");
    assert_int_equal(text[4], 'x');
    assert_int_equal(limn_vocab_join(NULL, 0, v, ids, 6), strlen("a dog café"));
    assert_int_equal(limn_vocab_join(text, sizeof text, v, ids, 0), 0);
    assert_string_equal(text, "");
    limn_vocab_destroy(&v);
    assert_null(v);
    limn_vocab_destroy(&v);
}

static void test_every_word_of_a_large_vocabulary_is_found(void **state)
{
    enum { N = 5000 };
    static char texts[N][16];
    static const char *tokens[N] = { "<pad>", "<s>", "</s>", "<unk>" };
    limn_vocab *v;
    (void)state;
    for (size_t i = 4; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], "w%zu", i * 7919 % N);
        tokens[i] = texts[i];
    }
    assert_int_equal(limn_vocab_create(&v, tokens, N, NULL), LIMN_OK);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(limn_vocab_find(v, tokens[i], strlen(tokens[i])), i);
    limn_vocab_destroy(&v);
}

static void test_bad_vocabularies_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size; /* 0: strlen */
        const char *says;
    } cases[] = {
        { "", 0, "0 tokens, expected at least <pad> <s> </s> <unk>" },
        { "<pad>\n<s>\n</s>\n", 0, "3 tokens, expected at least" },
        { "<s>\n<pad>\n</s>\n<unk>\n", 0, "token 0 must be <pad>, is \"<s>\"" },
        { "<pad>\n<s>\n</s>\nunk\n", 0, "token 3 must be <unk>, is \"unk\"" },
        { SPECIAL "a\n\nb\n", 0, "token 5 is empty" },
        { SPECIAL "a\nb\na\n", 0, "tokens 4 and 6 are both \"a\"" },
        { SPECIAL "<s>\n", 0, "tokens 1 and 4 are both \"<s>\"" },
        { SPECIAL "two words\n", 0, "token 4 has white space" },
        { SPECIAL "tab\there\n", 0, "token 4 has white space" },
        { SPECIAL "a\r\n", 0, "token 4 has white space or a control character" },
        { SPECIAL "a\xc2\xa0z\n", 0, "token 4 has white space" },     /* no-break space */
        { SPECIAL "a\xe2\x80\xa8z\n", 0, "token 4 has white space" }, /* line separator */
        { SPECIAL "a\xffz\n", 0, "token 4 is not valid UTF-8" },
        { SPECIAL "a\xc0\xafz\n", 0, "token 4 is not valid UTF-8" },    /* overlong */
        { SPECIAL "a\xed\xa0\x80\n", 0, "token 4 is not valid UTF-8" }, /* surrogate */
        { SPECIAL "a\xc3\n", 0, "token 4 is not valid UTF-8" },
        { SPECIAL "a\0b\n", sizeof SPECIAL - 1 + 4, "has a NUL byte at byte 22" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_vocab *v;
        limn_error err = { 0 };
        const size_t size = cases[i].size ? cases[i].size : strlen(cases[i].text);
        assert_int_equal(read_text(&v, cases[i].text, size, &err), LIMN_E_FORMAT);
        assert_null(v);
        if (!strstr(err.text, cases[i].says) || strncmp(err.text, temp_folder, strlen(temp_folder)))
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].says);
    }
}

static void test_sizes_are_limited(void **state)
{
    static char text[sizeof SPECIAL + LIMN_VOCAB_MAX_TOKEN_SIZE + 1] = SPECIAL;
    static char many[2 * LIMN_VOCAB_MAX_TOKENS + 2];
    limn_vocab *v;
    (void)state;
    memset(text + strlen(text), 'x', LIMN_VOCAB_MAX_TOKEN_SIZE);
    assert_int_equal(read_text(&v, text, strlen(text), NULL), LIMN_OK);
    limn_vocab_destroy(&v);
    text[strlen(text)] = 'x';
    assert_int_equal(read_text(&v, text, sizeof text, NULL), LIMN_E_FORMAT);
    for (size_t i = 0; i < sizeof many; i++) many[i] = i % 2 ? '\n' : 'x';
    assert_int_equal(read_text(&v, many, sizeof many, NULL), LIMN_E_LIMIT);
    assert_int_equal(limn_vocab_read(&v, temp_path("none"), NULL), LIMN_E_IO);
}

/* ---- vocabularies made elsewhere ---------------------------------------------------------- */

static limn_status from_json(limn_vocab **out, const char *text, limn_error *err)
{
    json_t *document = NULL;
    *out = NULL;
    limn_status s = limn_json_parse(&document, text, strlen(text), err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        s = limn_vocab_from_json(out, &root, err);
    }
    json_decref(document);
    return s;
}

#define OBJECT(tokenizer, start, end, never)                             \
    "{\"tokenizer\": " tokenizer ", \"start\": " start ", \"end\": " end \
    ", \"pad\": null, \"unknown\": 4, \"never_written\": " never         \
    ", \"tokens\": [\"a\", \"dog\", \"[CLS]\", \"[SEP]\", \"[UNK]\"]}"

static void test_special_tokens_are_where_the_model_says(void **state)
{
    const char *text = OBJECT("\"words\"", "2", "3", "[2, 4]");
    static const uint32_t ids[] = { 2, 0, 1, 4, 3 };
    limn_vocab *v, *again;
    char caption[32];
    (void)state;
    assert_int_equal(from_json(&v, text, NULL), LIMN_OK);
    assert_false(limn_vocab_is_own(v));
    const limn_specials *s = limn_vocab_specials(v);
    assert_true(s->start == 2 && s->end == 3 && s->pad == LIMN_NO_TOKEN && s->unknown == 4);
    assert_int_equal(limn_vocab_find(v, "cat", 3), 4);
    limn_vocab_join(caption, sizeof caption, v, ids, 5);
    assert_string_equal(caption, "a dog");
    uint32_t encoded[3];
    assert_int_equal(limn_vocab_encode(encoded, 3, v, "dog [SEP] cat"), 3);
    assert_true(encoded[0] == 1 && encoded[1] == 4 && encoded[2] == 4);
    json_t *object = limn_vocab_to_json(v);
    char *written = json_dumps(object, 0);
    assert_string_equal(written, text);
    assert_int_equal(from_json(&again, written, NULL), LIMN_OK);
    limn_vocab_destroy(&again);
    free(written);
    json_decref(object);
    limn_vocab_destroy(&v);
}

static void test_own_vocabularies_are_arrays(void **state)
{
    static const char *const texts[] = {
        "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\", \"a\"]",
        "[\"<pad>\", \"<s>\", \"</s>\", \"<unk>\", \"▁\", \"a\"]"
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        limn_vocab *v;
        assert_int_equal(from_json(&v, texts[i], NULL), LIMN_OK);
        assert_true(limn_vocab_is_own(v));
        assert_int_equal(limn_vocab_kind(v), i ? LIMN_TOKENS_CHARACTERS : LIMN_TOKENS_WORDS);
        json_t *array = limn_vocab_to_json(v);
        char *written = json_dumps(array, 0);
        assert_string_equal(written, texts[i]);
        free(written);
        json_decref(array);
        limn_vocab_destroy(&v);
    }
}

static void test_what_a_vocabulary_cannot_be(void **state)
{
    static const struct {
        const char *text, *says;
        limn_status status;
    } cases[] = {
        { OBJECT("\"morphemes\"", "2", "3", "[]"),
          "tokenizer \"morphemes\" is not known: words, characters, wordpiece, byte_bpe, "
          "sentencepiece are",
          LIMN_E_UNSUPPORTED },
        { OBJECT("3", "2", "3", "[]"), "tokenizer: expected a string", LIMN_E_FORMAT },
        { OBJECT("\"words\"", "5", "3", "[]"), "the start token, 5, is not in 0 … 4",
          LIMN_E_FORMAT },
        { OBJECT("\"words\"", "2", "null", "[]"), "the end token, 4294967295, is not in 0 … 4",
          LIMN_E_FORMAT },
        { OBJECT("\"words\"", "2", "-1", "[]"), "end: expected an integer in 0 … 65535, is -1",
          LIMN_E_FORMAT },
        { OBJECT("\"words\"", "2", "3", "[3]"), "the end token, 3, is never written",
          LIMN_E_FORMAT },
        { OBJECT("\"words\"", "2", "3", "[7]"), "the never written token, 7, is not in 0 … 4",
          LIMN_E_FORMAT },
        { OBJECT("\"words\"", "2", "3", "1"), "never_written: expected an array", LIMN_E_FORMAT },
        { "7", "expected an array", LIMN_E_FORMAT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_vocab *v;
        limn_error err = { 0 };
        assert_int_equal(from_json(&v, cases[i].text, &err), cases[i].status);
        assert_null(v);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_found_and_joined),
        cmocka_unit_test(test_every_word_of_a_large_vocabulary_is_found),
        cmocka_unit_test(test_bad_vocabularies_are_refused),
        cmocka_unit_test(test_sizes_are_limited),
        cmocka_unit_test(test_special_tokens_are_where_the_model_says),
        cmocka_unit_test(test_own_vocabularies_are_arrays),
        cmocka_unit_test(test_what_a_vocabulary_cannot_be),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

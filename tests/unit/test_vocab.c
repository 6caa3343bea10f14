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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_found_and_joined),
        cmocka_unit_test(test_every_word_of_a_large_vocabulary_is_found),
        cmocka_unit_test(test_bad_vocabularies_are_refused),
        cmocka_unit_test(test_sizes_are_limited),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

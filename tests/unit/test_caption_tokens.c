#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text/caption_tokens.h"

#define SPACE LIMN_SPACE_TOKEN

static const struct {
    const char *caption, *tokens;
} of_characters[] = {
    { "", "" },
    { " \t\r\n\xE3\x80\x80", "" },
    { "狗在跑。", "狗 在 跑 。" },
    { "Ein  Hund ", "E i n " SPACE " H u n d" },
    { "\xE3\x80\x80一只 狗\n", "一 只 " SPACE " 狗" },
    { "e\xCC\x81t\xC3\xA9", "é t é" },                /* U+0301 is composed */
    { "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "한" }, /* so are jamo */
    { "a" SPACE SPACE "b", "a " SPACE " b" },         /* the token itself is a space */
    { "a\x01\x7F\xC2\x85 b", "a " SPACE " b" },       /* control characters */
    { "\xF0\x9F\x90\x95!", "\xF0\x9F\x90\x95 !" },
};

static void test_characters(void **state)
{
    limn_caption_tokenizer t = { .kind = LIMN_TOKENS_CHARACTERS };
    const char *tokens;
    (void)state;
    for (size_t i = 0; i < sizeof of_characters / sizeof *of_characters; i++) {
        const char *caption = of_characters[i].caption;
        assert_int_equal(limn_caption_tokenize(&tokens, &t, caption, strlen(caption), NULL),
                         LIMN_OK);
        assert_string_equal(tokens, of_characters[i].tokens);
    }
    limn_caption_tokenizer_finish(&t);
}

static void test_words_are_those_of_the_metrics(void **state)
{
    limn_caption_tokenizer t = { .kind = LIMN_TOKENS_WORDS };
    const char *tokens;
    (void)state;
    assert_int_equal(limn_caption_tokenize(&tokens, &t, "A dog, don't!", 13, NULL), LIMN_OK);
    assert_string_equal(tokens, "a dog do n't");
    limn_caption_tokenizer_finish(&t);
}

static void test_invalid_utf8(void **state)
{
    limn_caption_tokenizer t = { .kind = LIMN_TOKENS_CHARACTERS };
    limn_error err = { 0 };
    const char *tokens;
    (void)state;
    assert_int_equal(limn_caption_tokenize(&tokens, &t, "ab\xFF", 3, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "caption: byte 2 is not valid UTF-8");
    limn_caption_tokenizer_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_words_are_those_of_the_metrics),
        cmocka_unit_test(test_invalid_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

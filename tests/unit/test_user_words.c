#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/user_words.h"

static const char *const words[] = { "<pad>",      "<s>",  "</s>",    "<unk>", "a",
                                     "the",        "dog",  "puppies", "'s",    "puppy",
                                     "skateboard", "café", "purple",  "New" };
enum { N_WORDS = sizeof words / sizeof *words };

static limn_status add(limn_user_words *out, const char *text, limn_error *err)
{
    limn_vocab *v;
    assert_int_equal(limn_vocab_create(&v, words, N_WORDS, NULL), LIMN_OK);
    const limn_status s = limn_user_words_add(out, v, "required", text, strlen(text), err);
    limn_vocab_destroy(&v);
    return s;
}

static void test_texts_become_tokens(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        uint32_t tokens[4];
    } cases[] = {
        { "dog", 1, { 6 } },
        { "  the \t dog ", 2, { 5, 6 } },
        { "New dog", 2, { 13, 6 } },     /* as written, if that is a word */
        { "The Dog's", 3, { 5, 6, 8 } }, /* else tokenized like captions */
        { "dog 's", 2, { 6, 8 } },
        { "CAFÉ", 1, { 11 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_user_words w = { 0 };
        assert_int_equal(add(&w, cases[i].text, NULL), LIMN_OK);
        assert_int_equal(w.n_tokens, cases[i].n);
        assert_memory_equal(w.tokens, cases[i].tokens, w.n_tokens * sizeof *w.tokens);
        assert_int_equal(add(&w, "dog", NULL), LIMN_OK); /* appends */
        assert_int_equal(w.n_tokens, cases[i].n + 1);
        limn_user_words_finish(&w);
        assert_null(w.tokens);
    }
}

static void test_what_is_no_word_is_named_with_near_ones(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "puppie", "required word 'puppie' is not in the vocabulary; similar: puppies, puppy, "
                    "purple" },
        { "a dgo", "required word 'dgo' is not in the vocabulary; similar: dog" },
        { "skateboarders", "similar: skateboard" },
        { "xylophone", "required word 'xylophone' is not in the vocabulary" },
        { "<unk>", "required word '<unk>' is not in the vocabulary" },
        { "", "required word '' is empty" },
        { "  ", "required word '' is empty" },
        { "\xff", "required words: " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_user_words w = { 0 };
        limn_error err = { 0 };
        assert_int_equal(add(&w, cases[i].text, &err), LIMN_E_ARG);
        if (!strstr(err.text, cases[i].says))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].says);
        limn_user_words_finish(&w);
    }
    limn_error err = { 0 };
    limn_user_words w = { 0 };
    assert_int_equal(add(&w, "xylophone", &err), LIMN_E_ARG);
    assert_null(strstr(err.text, "near"));
    limn_user_words_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_become_tokens),
        cmocka_unit_test(test_what_is_no_word_is_named_with_near_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

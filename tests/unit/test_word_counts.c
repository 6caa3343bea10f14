#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/text/word_counts.h"

static void test_words_come_by_count_then_bytes(void **state)
{
    static const limn_word_count expected[] = {
        { "a", 3 }, { "dog", 2 }, { "B", 1 }, { "b", 1 }, { "\xc3\xa9", 1 }
    };
    limn_word_counts *c = NULL;
    limn_word_count *words = NULL;
    (void)state;
    assert_int_equal(limn_word_counts_create(&c, NULL), LIMN_OK);
    assert_int_equal(limn_word_counts_add(c, "a dog b", NULL), LIMN_OK);
    assert_int_equal(limn_word_counts_add(c, "", NULL), LIMN_OK);
    assert_int_equal(limn_word_counts_add(c, "a \xc3\xa9 dog a B", NULL), LIMN_OK);
    assert_int_equal(limn_word_counts_total(c), 8);
    assert_int_equal(limn_word_counts_n_different(c), 5);
    assert_int_equal(limn_word_counts_of(c, "dogs", 3), 2);
    assert_int_equal(limn_word_counts_of(c, "dogs", 4), 0);
    assert_int_equal(limn_word_counts_sorted(&words, c, NULL), LIMN_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(words[i].word, expected[i].word);
        assert_int_equal(words[i].count, expected[i].count);
    }
    limn_free(words);
    limn_word_counts_destroy(&c);
    assert_null(c);
}

/* More words than the table has room for at first, each once and one of them twice. */
static void test_many_words(void **state)
{
    enum { N_WORDS = 20000 };
    limn_word_counts *c = NULL;
    limn_word_count *words = NULL;
    char word[16];
    (void)state;
    assert_int_equal(limn_word_counts_create(&c, NULL), LIMN_OK);
    for (int i = 0; i <= N_WORDS; i++) {
        snprintf(word, sizeof word, "%05d", i % N_WORDS);
        assert_int_equal(limn_word_counts_add(c, word, NULL), LIMN_OK);
    }
    assert_int_equal(limn_word_counts_n_different(c), N_WORDS);
    assert_int_equal(limn_word_counts_sorted(&words, c, NULL), LIMN_OK);
    for (int i = 0; i < N_WORDS; i++) {
        snprintf(word, sizeof word, "%05d", i);
        assert_string_equal(words[i].word, word);
        assert_int_equal(words[i].count, i ? 1 : 2);
    }
    limn_free(words);
    limn_word_counts_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_come_by_count_then_bytes),
        cmocka_unit_test(test_many_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

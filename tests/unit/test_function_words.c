/* Function words are found wherever they are in the list; other words aren't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/train/function_words.h"

static void test_function_words(void **state)
{
    static const char *const is[] = {
        "a",   "about", "an",    "and",   "as",   "at",       "be",    "behind", "by",
        "can", "do",    "each",  "for",   "from", "had",      "her",   "him",    "himself",
        "i",   "in",    "into",  "is",    "it",   "its",      "like",  "near",   "next",
        "no",  "of",    "on",    "onto",  "or",   "over",     "she",   "so",     "that",
        "the", "them",  "then",  "there", "to",   "together", "under", "up",     "very",
        "was", "we",    "while", "who",   "with", "you",      "your"
    };
    static const char *const is_not[] = { "",    "b",   "th",  "thee",     "yours", "zebra", "A",
                                          "dog", "two", "red", "standing", "</s>",  "<unk>" };
    (void)state;
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) assert_true(limn_is_function_word(is[i]));
    for (size_t i = 0; i < sizeof is_not / sizeof *is_not; i++)
        assert_false(limn_is_function_word(is_not[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_function_words) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

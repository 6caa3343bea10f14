/* Raw captions as sentences: exact texts, short buffers, any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "common/text/detokenize.h"

static const struct {
    const char *raw, *sentence;
} cases[] = {
    { "", "" },
    { "a dog runs on the grass", "A dog runs on the grass." },
    { "dog", "Dog." },
    /* clitics and halves */
    { "a man 's dog is n't here", "A man's dog isn't here." },
    { "they 're here and we 've seen that you 'll go , i 'd say i 'm in",
      "They're here and we've seen that you'll go, I'd say I'm in." },
    { "the boys ' dog ca n't and wo n't", "The boys' dog can't and won't." },
    { "a dog can not swim", "A dog cannot swim." },
    { "a toucan not far away", "A toucan not far away." },
    { "not a can", "Not a can." },
    { "they gon na run , got ta go , wan na play", "They gonna run, gotta go, wanna play." },
    { "'t is y' all 's dog", "'Tis y'all's dog." },
    { "i see a dog", "I see a dog." },
    { "player i number 4", "Player I number 4." },
    /* marks */
    { "red , white , and blue ; look : a dog", "Red, white, and blue; look: a dog." },
    { "what is it ?", "What is it?" },
    { "stop !", "Stop!" },
    { "a dog .", "A dog." },
    { "wait ...", "Wait..." },
    { "two people on main st.", "Two people on main st." },
    { "a red , blue ,", "A red, blue." },
    { "a dog ;", "A dog." },
    { ",", "" },
    { "50 % off", "50% off." },
    { "a sign for $ 5 and player # 42", "A sign for $5 and player #42." },
    { "a # of dogs", "A # of dogs." },
    { "black & white", "Black & white." },
    { "a man -- a woman", "A man -- a woman." },
    /* brackets and quotes */
    { "a dog -lrb- brown -rrb- runs", "A dog (brown) runs." },
    { "a -lsb- b -rsb- -lcb- c -rcb- ( d ) [ e ] { f }", "A [b] {c} (d) [e] {f}." },
    { "a shirt that says `` go '' and ` so '", "A shirt that says \"go\" and 'so'." },
    { "a sign reads \" stop \" and \" go \"", "A sign reads \"stop\" and \"go\"." },
    { "he says `` no . ''", "He says \"no.\"" },
    { "`` no '' he says", "\"No\" he says." },
    { "-lrb- two dogs . -rrb-", "(Two dogs.)" },
    /* first letters */
    { "3 dogs run", "3 dogs run." },
    { "2nd base", "2nd base." },
    { "t-shirt", "T-shirt." },
    { "\xc3\xa9"
      "cole rouge",
      "\xc3\x89"
      "cole rouge." },
    { "\xc9\x90 b", "\xe2\xb1\xaf b." }, /* upper case takes one more byte */
    { "\xe7\x8c\xab \xe7\x8a\xac", "\xe7\x8c\xab \xe7\x8a\xac." },
    { "\xce\xb1 -lrb- b", "\xce\x91 (b." },
};

static void test_exact_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[256];
        const size_t size = limn_detokenize(out, sizeof out, cases[i].raw);
        assert_string_equal(out, cases[i].sentence);
        assert_int_equal(size, strlen(out));
        assert_true(size <= strlen(cases[i].raw) + LIMN_DETOKENIZE_MAX_GROWTH);
    }
}

static void test_a_short_buffer_gets_the_beginning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t size = strlen(cases[i].sentence);
        for (size_t capacity = 1; capacity <= size + 1; capacity++) {
            char out[256];
            memset(out, 7, sizeof out);
            assert_int_equal(limn_detokenize(out, capacity, cases[i].raw), size);
            assert_memory_equal(out, cases[i].sentence, capacity - 1);
            assert_int_equal(out[capacity - 1], 0);
            assert_int_equal(out[capacity], 7);
        }
    }
}

static void test_any_bytes_stay_within_the_bound(void **state)
{
    static const char *const parts[] = { " ",   "  ",   "-lrb-", "''", "``",      "\"",
                                         "i",   "\xff", "\xc9",  "#",  "$",       "can",
                                         "not", ".",    ",",     "1",  "\xc9\x90" };
    limn_rng rng = limn_rng_stream(1, "sentence", 8);
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        char text[128] = "", out[160];
        for (size_t n = limn_rng_below(&rng, 12); n > 0; n--) {
            strcat(text, parts[limn_rng_below(&rng, sizeof parts / sizeof *parts)]);
            if (limn_rng_below(&rng, 2)) strcat(text, " ");
        }
        const size_t size = limn_detokenize(out, sizeof out, text);
        assert_true(size <= strlen(text) + LIMN_DETOKENIZE_MAX_GROWTH);
        assert_int_equal(strlen(out), size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_sentences),
        cmocka_unit_test(test_a_short_buffer_gets_the_beginning),
        cmocka_unit_test(test_any_bytes_stay_within_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

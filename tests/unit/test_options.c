/* Options by name: the table, its bounds and defaults, error messages, memory, and structs of other
 * versions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/captioner.h"
#include "models/option.h"
#include "models/options.h"

static void expect(const char *name, const char *value, const char *says)
{
    limn_options o = limn_options_default();
    limn_error err = { 0 };
    const limn_status s = limn_options_set(&o, name, value, &err);
    assert_int_equal(s, says ? LIMN_E_ARG : LIMN_OK);
    assert_string_equal(err.text, says ? says : "");
    limn_options_finish(&o);
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    expect("beam", "5", NULL);
    expect("beam", "99", "beam: 99 is not in 1 … 64");
    expect("beam", "x", "beam: 'x' is not a whole number");
    expect("beam", "", "beam: '' is not a whole number");
    expect("beam", NULL, "beam needs K");
    expect("baem", "5", "unknown option baem; did you mean beam?");
    expect("zzzzzzzz", "5", "unknown option zzzzzzzz");
    expect("", "5", "unknown option ");
    expect("length_penalty", "0.5", NULL);
    expect("length-penalty", "inf", "length-penalty: 'inf' is not a number");
    expect("length-penalty", "11", "length-penalty: 11 is not in -10 … 10");
    expect("style", "poem", "style: 'poem' is not one of raw, sentence");
    expect("sample", "maybe", "sample: 'maybe' is not one of no, yes");
    expect("sample", NULL, NULL);
    expect("confidence", "yes", NULL);
    expect("start-with", "a dog", NULL);
    expect("must", NULL, "must needs WORDS");
    expect(NULL, "5", "options: NULL");
    assert_int_equal(limn_options_set(NULL, "beam", "5", NULL), LIMN_E_ARG);
}

static void test_rows_have_bounds_and_their_defaults_are_those_of_the_struct(void **state)
{
    size_t n = 0;
    (void)state;
    for (const limn_option *o; (o = limn_option_at(n)); n++) {
        const bool is_number =
            o->type == LIMN_OPT_COUNT || o->type == LIMN_OPT_SIZE || o->type == LIMN_OPT_REAL;
        char text[64];
        assert_ptr_equal(limn_option_find(o->name), o);
        assert_non_null(o->help);
        assert_non_null(o->group);
        if (o->default_value) expect(o->name, o->default_value, NULL);
        if (!is_number) continue;
        assert_true(o->min < o->max);
        snprintf(text, sizeof text, "%.17g", o->max);
        if (o->type == LIMN_OPT_REAL) expect(o->name, text, NULL);
        snprintf(text, sizeof text, "%.0f", 2 * o->max + 1);
        char says[128];
        snprintf(says, sizeof says, "%s: %s is not in %.16g … %.16g", o->name, text, o->min,
                 o->max);
        expect(o->name, text, says);
    }
    assert_true(n > 25 && n <= 64); /* set_by_name has a bit for each */
    assert_null(limn_option_at(SIZE_MAX));
    assert_null(limn_option_find(NULL));
    const limn_options d = limn_options_default();
    assert_int_equal(d.beam_size, 3);
    assert_int_equal(d.n_best, 1);
    assert_true(d.diversity == 0.5f && d.temperature == 1 && d.top_p == 1 && d.typical == 1);
    assert_true(isnan(d.length_penalty) && isnan(d.guidance) && d.repetition_penalty == 1);
    assert_int_equal(d.max_pixels, 178956970);
    assert_int_equal(limn_options_check(&d, "", NULL), LIMN_OK);
}

static void test_lists_and_texts_are_copied(void **state)
{
    static const char *const own[] = { "horse" };
    limn_options o = limn_options_default();
    char word[32];
    (void)state;
    o.banned_words = own;
    o.n_banned_words = 1;
    for (int i = 0; i < 20; i++) {
        snprintf(word, sizeof word, "word %d", i);
        assert_int_equal(limn_options_set(&o, "ban", word, NULL), LIMN_OK);
    }
    assert_int_equal(limn_options_set(&o, "must", "dog|cat", NULL), LIMN_OK);
    snprintf(word, sizeof word, "a dog");
    assert_int_equal(limn_options_set(&o, "start-with", word, NULL), LIMN_OK);
    memset(word, 'x', sizeof word - 1);
    assert_int_equal(o.n_banned_words, 21);
    assert_string_equal(o.banned_words[0], "horse");
    assert_string_equal(o.banned_words[20], "word 19");
    assert_string_equal(o.required[0], "dog|cat");
    assert_string_equal(o.start, "a dog");
    limn_options_finish(&o);
    assert_null(o.required);
    assert_int_equal(o.n_banned_words, 0);
    assert_null(o.start);
    limn_options_finish(&o);
    limn_options_finish(NULL);
}

static void test_flags_of_one_field(void **state)
{
    limn_options o = limn_options_default();
    (void)state;
    limn_options_set(&o, "distinct", NULL, NULL);
    limn_error err = { 0 };
    assert_int_equal(limn_options_check(&o, "--", &err), LIMN_E_ARG);
    assert_string_equal(err.text, "--distinct applies to sampling only; add --sample");
    limn_options_set(&o, "sample", "yes", NULL);
    assert_int_equal(o.method, LIMN_METHOD_SAMPLE_DISTINCT);
    assert_int_equal(limn_options_check(&o, "", NULL), LIMN_OK);
    limn_options_set(&o, "distinct", "no", NULL);
    assert_int_equal(o.method, LIMN_METHOD_SAMPLE);
}

static void test_what_others_make_of_a_default(void **state)
{
    limn_options o = limn_options_default(), taken;
    (void)state;
    limn_options_set(&o, "rerank", "consensus", NULL);
    assert_int_equal(limn_options_take(&taken, &o, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 64);
    assert_int_equal(taken.n_candidates, 128);
    limn_options_set(&o, "groups", "5", NULL);
    assert_int_equal(limn_options_take(&taken, &o, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 20); /* which five groups divide */
    limn_options_set(&o, "groups", "1", NULL);
    limn_options_set(&o, "beam", "4", NULL);
    assert_int_equal(limn_options_take(&taken, &o, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 4);
    assert_int_equal(taken.n_candidates, 8);
    o = limn_options_default();
    o.rerank = LIMN_RERANK_CONSENSUS; /* a program's own choice is kept */
    assert_int_equal(limn_options_take(&taken, &o, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 3);
}

static void test_structs_of_other_versions(void **state)
{
    struct {
        limn_options known;
        uint64_t newer[2];
    } larger;
    limn_options taken, small = limn_options_default();
    limn_error err = { 0 };
    (void)state;
    memset(&larger, 0xff, sizeof larger);
    limn_options_init(&larger.known, sizeof larger);
    assert_int_equal(larger.newer[1], 0);
    larger.known.beam_size = 7;
    assert_int_equal(limn_options_take(&taken, &larger.known, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 7);
    assert_int_equal(taken.size, sizeof taken);
    larger.newer[1] = 1;
    assert_int_equal(limn_options_take(&taken, &larger.known, &err), LIMN_E_ARG);
    assert_non_null(strstr(err.text, "which is older than the program"));
    assert_int_equal(limn_options_take(&taken, NULL, NULL), LIMN_OK);
    assert_int_equal(taken.beam_size, 3);
    small.size = 0;
    assert_int_equal(limn_options_take(&taken, &small, NULL), LIMN_E_ARG);
    assert_int_equal(limn_options_set(&small, "beam", "3", NULL), LIMN_E_ARG);
    limn_options_init(NULL, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_rows_have_bounds_and_their_defaults_are_those_of_the_struct),
        cmocka_unit_test(test_lists_and_texts_are_copied),
        cmocka_unit_test(test_flags_of_one_field),
        cmocka_unit_test(test_what_others_make_of_a_default),
        cmocka_unit_test(test_structs_of_other_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

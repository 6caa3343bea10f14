#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/text/ptb_tokenizer.h"
#include "common/text/utf8.h"

typedef struct ptb_case {
    const char *caption, *tokens;
} ptb_case;

/* One or more captions for each rule. */
static const ptb_case cases[] = {
    { "", "" },
    { " \t ", "" },
    { "A man's dog isn't here.", "a man 's dog is n't here ." },
    { "You can\u2019t, they\u2019re", "you ca n't , they 're" },
    { "cannot gonna gimme 'tis 'twas", "can not gon na gim me 't is 't was" },
    { "y'all o'clock ma'am d'you rock 'n' roll", "y' all o'clock ma'am d'you rock 'n' roll" },
    { "(a) [b] {c} <tag x=\"1 2\">",
      "-lrb- a -rrb- -lsb- b -rsb- -lcb- c -rcb- <tag\u00A0x=\"1\u00A02\">" },
    { "at&t AT&T b&amp;w", "at & t at&t b & w" },
    { "$5 50% #42 #tag @user US$ 5", "$ 5 50 % # 42 #tag @user us$ 5" },
    { "\u00BD cup, 2 1/2 cups, \u00A2 \u00A3 \u20AC", "1/2 cup , 2\u00A01/2 cups , cents # $" },
    { "wait... .... \u2026 . . .", "wait ... ... ... ..." },
    { "a - b -- c --- d \u2014 e \u2013 f", "a - b -- c -- d -- e -- f" },
    { "Mr. Smith Jr. saw etc. The end", "mr. smith jr. saw etc. . the end" },
    { "no. 5 no. fig. 2", "no. 5 no . fig. 2" },
    { "vitamin C. The dog, U.S. The cat", "vitamin c . the dog , u.s. . the cat" },
    { "end.", "end ." },
    { "http://a.org/x?y=1, a@b.org statefarm.com photo.jpg it",
      "http://a.org/x?y=1 , a@b.org statefarm.com photo.jpg it" },
    { "\u201Cquoted\u201D \u2018so\u2019 \"x\" 'y", "`` quoted '' ` so ' `` x '' ' y" },
    { "b\u00ADoy a\u200Bb \xF0\x9F\x98\x80 c\xF0\x9F\x98\x80"
      "d",
      "boy a b c d" },
    { "one\u2028two\nthree\rfour\xC2\x85"
      "five",
      "one two three four five" },
    { "ÉCOLE ΣΑΣ ΣΑΣ-Α ΣΑΣ-, a@ΣΑΣ\u2019Α", "école σας σασ-α σας - , a@σας\u2019α" },
    { "a==b ol\u2019 \u2018em Miss. \u00C9ve", "a = = b ol\u2019 ` em miss. . \u00E9ve" },
    { "The C. About U.S. HE is <b (1)>", "the c . about u.s. . he is < b -lrb- 1 -rrb- >" },
    { ":) ;-( (555) 123-4567", ":-rrb- ;--lrb- -lrb-555-rrb-\u00A0"
                               "123-4567" },
};

static void test_each_rule(void **state)
{
    limn_ptb ptb = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *tokens = NULL;
        assert_int_equal(limn_ptb_tokenize(&tokens, &ptb, cases[i].caption,
                                           strlen(cases[i].caption), LIMN_PTB_ALL_TOKENS, NULL),
                         LIMN_OK);
        assert_string_equal(tokens, cases[i].tokens);
    }
    limn_ptb_finish(&ptb);
}

static void test_punctuation_is_dropped_but_not_brackets(void **state)
{
    static const char caption[] = "`` a '' ' ` (b) . ? ! , : - -- ... ; ?! {c}";
    limn_ptb ptb = { 0 };
    const char *tokens = NULL;
    (void)state;
    assert_int_equal(
        limn_ptb_tokenize(&tokens, &ptb, caption, strlen(caption), LIMN_PTB_DROP_PUNCTUATION, NULL),
        LIMN_OK);
    assert_string_equal(tokens, "a -lrb- b -rrb- ?! -lcb- c -rcb-");
    assert_int_equal(limn_ptb_tokenize(&tokens, &ptb, "...", 3, LIMN_PTB_DROP_PUNCTUATION, NULL),
                     LIMN_OK);
    assert_string_equal(tokens, "");
    limn_ptb_finish(&ptb);
}

static void test_invalid_utf8_names_its_offset(void **state)
{
    static const char *const bad[] = { "ab\xFF", "ab\xC3", "ab\xC0\xAF", "ab\xED\xA0\x80",
                                       "ab\xF4\x90\x80\x80" };
    limn_ptb ptb = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        limn_error err = { 0 };
        const char *tokens;
        assert_int_equal(limn_utf8_valid_size(bad[i], strlen(bad[i])), 2);
        assert_int_equal(
            limn_ptb_tokenize(&tokens, &ptb, bad[i], strlen(bad[i]), LIMN_PTB_ALL_TOKENS, &err),
            LIMN_E_FORMAT);
        assert_non_null(strstr(err.text, "byte 2"));
    }
    limn_ptb_finish(&ptb);
}

static void test_long_and_odd_captions_end(void **state)
{
    enum { SIZE = 1 << 20 };
    static const char *const units[] = {
        "a", "'", "a.", "1/", "(", "a@", "<a ", "n't", "- ", "\0"
    };
    char *caption = malloc(SIZE);
    limn_ptb ptb = { 0 };
    (void)state;
    assert_non_null(caption);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t unit_size = units[i][0] ? strlen(units[i]) : 1;
        const size_t size = SIZE / 64;
        const char *tokens;
        for (size_t at = 0; at < size; at++) caption[at] = units[i][at % unit_size];
        assert_int_equal(limn_ptb_tokenize(&tokens, &ptb, caption, size, LIMN_PTB_ALL_TOKENS, NULL),
                         LIMN_OK);
    }
    limn_ptb_finish(&ptb);
    free(caption);
}

static void test_words_split_at_unicode_space(void **state)
{
    const char *text = " a\u00A0b \x1C"
                       "c\u3000",
               *word;
    size_t size = strlen(text), word_size, n_words = 0;
    (void)state;
    while ((word = limn_utf8_next_word(&word_size, &text, &size))) {
        assert_int_equal(word_size, 1);
        assert_int_equal(*word, 'a' + (int)n_words);
        n_words++;
    }
    assert_int_equal(n_words, 3);
}

/* ---- Against the original's own output ------------------------------------------------------- */

static void assert_tokens(limn_ptb *ptb, const char *line, limn_ptb_filter filter,
                          const char *wanted)
{
    const char *tokens;
    assert_int_equal(limn_ptb_tokenize(&tokens, ptb, line, strlen(line), filter, NULL), LIMN_OK);
    assert_string_equal(tokens, wanted);
}

/* One character of each category, by Unicode's character database. */
static void test_what_words_are_made_of(void **state)
{
    static const uint32_t inside[] = { 'A',   'a',   0x1c5, 0x2b0,  0x4e2d, /* Lu Ll Lt Lm Lo */
                                       0x301, 0x903, '7',   0x2167, 0xbd }; /* Mn Mc Nd Nl No */
    static const uint32_t outside[] = { '-', ' ', 0x20dd, 0x20ac, '_', '\n', 0xa0 };
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_true(limn_utf8_is_word_character(inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_false(limn_utf8_is_word_character(outside[i]));
}

/* Made by tests/ptb/compare_ptb.py --golden. */
static void test_hard_lines(void **state)
{
    const char *root = getenv("LIMN_SOURCE_ROOT");
    char path[4096];
    limn_ptb ptb = { 0 };
    json_t *row;
    size_t n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/data/ptb/hard_lines.jsonl", root ? root : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; (row = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)); n++) {
        const char *line, *all, *coco;
        assert_int_equal(
            json_unpack(row, "{s:s, s:s, s:s}", "line", &line, "all", &all, "coco", &coco), 0);
        assert_tokens(&ptb, line, LIMN_PTB_ALL_TOKENS, all);
        assert_tokens(&ptb, line, LIMN_PTB_DROP_PUNCTUATION, coco);
        json_decref(row);
    }
    assert_int_equal(n, 1000);
    fclose(file);
    limn_ptb_finish(&ptb);
}

/* ---- The same, if ../shared exists -------------------------------------------------------- */

static FILE *open_shared(const char *name)
{
    const char *root = getenv("LIMN_SOURCE_ROOT");
    char path[4096];
    FILE *file;
    snprintf(path, sizeof path, "%s/../shared/%s", root ? root : ".", name);
    file = fopen(path, "r");
    if (!file) {
        print_message("SKIP: ../shared is not here\n");
        skip();
    }
    return file;
}

static void test_probe(void **state)
{
    FILE *file = open_shared("golden/ptb_probe.json");
    json_t *probes = json_loadf(file, 0, NULL);
    limn_ptb ptb = { 0 };
    (void)state;
    fclose(file);
    assert_int_equal(json_array_size(probes), 56);
    for (size_t i = 0; i < json_array_size(probes); i++) {
        const char *raw, *all, *coco;
        assert_int_equal(json_unpack(json_array_get(probes, i), "{s:s, s:s, s:s}", "raw", &raw,
                                     "ptb", &all, "coco", &coco),
                         0);
        assert_tokens(&ptb, raw, LIMN_PTB_ALL_TOKENS, all);
        assert_tokens(&ptb, raw, LIMN_PTB_DROP_PUNCTUATION, coco);
    }
    json_decref(probes);
    limn_ptb_finish(&ptb);
}

/* Reads "id<TAB>text"; false at the end of the file. */
static bool next_line(FILE *file, char *line, int size, char **text)
{
    char *tab;
    if (!fgets(line, size, file)) return false;
    line[strcspn(line, "\n")] = '\0';
    tab = strchr(line, '\t');
    assert_non_null(tab);
    *tab = '\0';
    *text = tab + 1;
    return true;
}

static void test_flickr8k(void **state)
{
    enum { SIZE = 4096 };
    char wanted_line[SIZE], raw_line[SIZE], *wanted, *raw;
    FILE *golden = open_shared("golden/flickr8k_ptb.tsv");
    FILE *captions = open_shared("data/flickr8k/captions.token.txt");
    limn_ptb ptb = { 0 };
    size_t n_captions = 0;
    (void)state;
    /* Both are in the same order; the golden file has some more lines. */
    while (next_line(captions, raw_line, SIZE, &raw)) {
        const char *tokens;
        do assert_true(next_line(golden, wanted_line, SIZE, &wanted));
        while (strcmp(wanted_line, raw_line) != 0);
        assert_int_equal(
            limn_ptb_tokenize(&tokens, &ptb, raw, strlen(raw), LIMN_PTB_DROP_PUNCTUATION, NULL),
            LIMN_OK);
        assert_string_equal(tokens, wanted);
        n_captions++;
    }
    assert_int_equal(n_captions, 35455);
    fclose(golden);
    fclose(captions);
    limn_ptb_finish(&ptb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule),
        cmocka_unit_test(test_punctuation_is_dropped_but_not_brackets),
        cmocka_unit_test(test_invalid_utf8_names_its_offset),
        cmocka_unit_test(test_long_and_odd_captions_end),
        cmocka_unit_test(test_words_split_at_unicode_space),
        cmocka_unit_test(test_what_words_are_made_of),
        cmocka_unit_test(test_hard_lines),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_flickr8k),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tokens and scores are those of PyPI's sacrebleu 2.6 (tests/fixtures/make_sacrebleu.py). If
 * LIMN_SACREBLEU_EXPECTED names a file of the same form, it replaces the one in the tree
 * (tests/diff/sacrebleu.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"
#include "common/metrics/sacrebleu.h"
#include "common/text/mteval.h"
#include "common/text/string_table.h"

enum { MAX_WORDS = 1024, MAX_REFS = 8 };

static json_t *expected;

static int read_expected(void **state)
{
    const char *given = getenv("LIMN_SACREBLEU_EXPECTED");
    char path[1024];
    unsigned char *bytes;
    size_t size;
    limn_error err = { 0 };
    (void)state;
    snprintf(path, sizeof path, "%s/tests/data/sacrebleu/expected.json",
             getenv("LIMN_SOURCE_ROOT"));
    if (limn_file_read(&bytes, &size, given ? given : path, (size_t)1 << 28, &err) != LIMN_OK ||
        limn_json_parse(&expected, bytes, size, &err) != LIMN_OK) {
        print_message("%s\n", err.text);
        return -1;
    }
    limn_free(bytes);
    return 0;
}

static int free_expected(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

static limn_mteval_tokenizer tokenizer_of(const char *name)
{
    static const char *const names[] = { "13a", "intl", "char", "none" };
    size_t i = 0;
    while (strcmp(names[i], name) != 0) i++;
    return (limn_mteval_tokenizer)i;
}

static void test_tokens(void **state)
{
    limn_mteval m = { 0 };
    size_t i;
    json_t *row;
    (void)state;
    json_array_foreach(json_object_get(expected, "tokens"), i, row)
    {
        const char *name = json_string_value(json_array_get(row, 0)), *tokens;
        const char *raw = json_string_value(json_array_get(row, 2));
        const char *wanted = json_string_value(json_array_get(row, 3));
        assert_int_equal(limn_mteval_tokenize(&tokens, &m, tokenizer_of(name),
                                              json_is_true(json_array_get(row, 1)), raw,
                                              strlen(raw), NULL),
                         LIMN_OK);
        if (strcmp(tokens, wanted) != 0)
            fail_msg("%s of \"%s\":\n  %s, expected\n  %s", name, raw, tokens, wanted);
    }
    assert_true(i > 100);
    limn_mteval_finish(&m);
}

static void test_invalid_utf8_is_refused(void **state)
{
    limn_mteval m = { 0 };
    const char *tokens;
    (void)state;
    assert_int_equal(limn_mteval_tokenize(&tokens, &m, LIMN_MTEVAL_13A, false, "a \xff", 3, NULL),
                     LIMN_E_FORMAT);
    limn_mteval_finish(&m);
}

static limn_sentence read_sentence(uint32_t words[MAX_WORDS], limn_string_table *table,
                                   limn_mteval *m, const json_t *settings, const json_t *caption)
{
    const char *raw = json_string_value(caption), *tokens;
    size_t n = 0;
    assert_int_equal(
        limn_mteval_tokenize(
            &tokens, m, tokenizer_of(json_string_value(json_object_get(settings, "tokenizer"))),
            json_is_true(json_object_get(settings, "lowercase")), raw, strlen(raw), NULL),
        LIMN_OK);
    while (*tokens) {
        const size_t size = strcspn(tokens, " ");
        assert_int_equal(limn_string_table_add(&words[n++], table, tokens, size, NULL), LIMN_OK);
        tokens += size + (tokens[size] == ' ');
    }
    return (limn_sentence){ words, n };
}

/* Counts the first caption of a group against the others. */
static limn_bleu_stats count_group(limn_string_table *table, limn_mteval *m, const json_t *settings,
                                   const json_t *group)
{
    static uint32_t words[MAX_WORDS];
    limn_ngram_counts counts[MAX_REFS] = { 0 };
    const size_t n = json_array_size(group);
    for (size_t i = 0; i < n; i++) {
        const limn_sentence s = read_sentence(words, table, m, settings, json_array_get(group, i));
        assert_int_equal(limn_ngram_counts_fill(&counts[i], s, NULL), LIMN_OK);
    }
    const limn_bleu_stats stats = limn_bleu_count(&counts[0], counts + 1, n - 1);
    for (size_t i = 0; i < n; i++) limn_ngram_counts_finish(&counts[i]);
    return stats;
}

static limn_bleu_stats count_corpus(const json_t *settings)
{
    const json_t *only = json_object_get(settings, "only");
    limn_string_table table = { 0 };
    limn_bleu_stats sum = { 0 };
    limn_mteval m = { 0 };
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(expected, "groups"), i, group)
    {
        if (only && json_integer_value(only) != (json_int_t)i) continue;
        const limn_bleu_stats stats = count_group(&table, &m, settings, group);
        limn_bleu_add(&sum, &stats);
    }
    limn_mteval_finish(&m);
    limn_string_table_finish(&table);
    return sum;
}

static void assert_near(double value, const json_t *wanted, const char *what)
{
    if (!(fabs(value - json_number_value(wanted)) <= 1e-9))
        fail_msg("%s: %.17g, expected %.17g", what, value, json_number_value(wanted));
}

static void check_corpus(const json_t *wanted)
{
    limn_buffer text = { 0 };
    limn_sacrebleu_settings s = {
        .value = json_number_value(json_object_get(wanted, "value")),
        .is_lower_case = json_is_true(json_object_get(wanted, "lowercase")),
        .tokenizer = json_string_value(json_object_get(wanted, "tokenizer")),
    };
    const char *smoothing = json_string_value(json_object_get(wanted, "smoothing"));
    const char *signature = json_string_value(json_object_get(wanted, "signature"));
    const json_t *group = json_array_get(json_object_get(expected, "groups"), 0);
    while (strcmp(limn_sacrebleu_smoothing_names[s.smoothing], smoothing) != 0) s.smoothing++;
    const limn_bleu_stats stats = count_corpus(wanted);
    const limn_sacrebleu score = limn_sacrebleu_score(&stats, &s);
    assert_near(score.score, json_object_get(wanted, "score"), signature);
    assert_near(score.brevity_penalty, json_object_get(wanted, "brevity_penalty"), "BP");
    assert_near(score.hyp_length, json_object_get(wanted, "hyp_len"), "hyp_len");
    assert_near(score.ref_length, json_object_get(wanted, "ref_len"), "ref_len");
    for (size_t n = 0; n < LIMN_NGRAM_MAX_ORDER; n++)
        assert_near(score.precisions[n], json_array_get(json_object_get(wanted, "precisions"), n),
                    "precision");
    limn_sacrebleu_print(&text, &score);
    assert_string_equal(text.bytes, json_string_value(json_object_get(wanted, "print")));
    limn_buffer_clear(&text);
    limn_sacrebleu_sign(&text, &s, json_array_size(group) - 1);
    assert_string_equal(text.bytes, signature);
    limn_buffer_finish(&text);
}

static void test_scores(void **state)
{
    size_t i;
    json_t *wanted;
    (void)state;
    json_array_foreach(json_object_get(expected, "scores"), i, wanted) check_corpus(wanted);
    assert_int_equal(i, 96);
}

static void test_nothing_scores_nothing(void **state)
{
    const limn_bleu_stats none = { 0 };
    const limn_sacrebleu_settings s = { .value = -1, .tokenizer = "13a" };
    limn_buffer text = { 0 };
    (void)state;
    const limn_sacrebleu score = limn_sacrebleu_score(&none, &s);
    assert_true(score.score == 0 && score.ratio == 0);
    limn_sacrebleu_sign(&text, &s, 0);
    assert_string_equal(text.bytes, "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
    limn_buffer_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_invalid_utf8_is_refused),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_nothing_scores_nothing),
    };
    return cmocka_run_group_tests(tests, read_expected, free_expected);
}

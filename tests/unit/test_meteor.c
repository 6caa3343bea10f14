/* tests/data/meteor holds small word lists and the output of METEOR 1.5's Java program with them
 * (tests/fixtures/make_meteor.py). The golden values need METEOR's own data: LIMN_METEOR_DATA names
 * the folder. */
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
#include "common/metrics/meteor.h"
#include "tests/unit/temp_folder.h"

enum { MAX_FIELDS = 16, MAX_FILE = 1 << 26 };

static const char *source_path(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", getenv("LIMN_SOURCE_ROOT"), name);
    return path;
}

typedef struct fixture {
    limn_meteor_data *data;
    limn_meteor *meteor;
    limn_error error;
} fixture;

static void open_fixture(fixture *f, const char *folder, const char *cache)
{
    *f = (fixture){ 0 };
    if (limn_meteor_data_open(&f->data, folder, cache, &f->error) != LIMN_OK ||
        limn_meteor_create(&f->meteor, f->data, &f->error) != LIMN_OK)
        fail_msg("%s", f->error.text);
}

static void close_fixture(fixture *f)
{
    limn_meteor_destroy(&f->meteor);
    limn_meteor_data_close(&f->data);
}

static size_t split(char *fields[MAX_FIELDS], char *line)
{
    size_t n = 0;
    for (; line && n < MAX_FIELDS; n++) {
        fields[n] = line;
        line = strchr(line, '\t');
        if (line) *line++ = '\0';
    }
    return n;
}

/* Compares statistics, in the order in which METEOR prints them. */
static void assert_stats(const limn_meteor_stats *s, const char *expected, const char *hyp)
{
    char text[256];
    int used = snprintf(text, sizeof text, "%g %g %g %g", s->hyp.n_words, s->ref.n_words,
                        s->hyp.n_function_words, s->ref.n_function_words);
    double n_hyp = 0, n_ref = 0;
    for (size_t i = 0; i < LIMN_METEOR_N_MODULES; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, " %g %g %g %g", s->hyp.content[i],
                         s->ref.content[i], s->hyp.function[i], s->ref.function[i]);
        n_hyp += s->hyp.content[i] + s->hyp.function[i];
        n_ref += s->ref.content[i] + s->ref.function[i];
    }
    snprintf(text + used, sizeof text - (size_t)used, " %g %g %g", s->n_chunks, n_hyp, n_ref);
    if (strcmp(text, expected) != 0) fail_msg("\"%s\":\n  %s, expected\n  %s", hyp, text, expected);
}

static void assert_near(double value, double expected, double tolerance, const char *what)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%s: %.17g, expected %.17g", what, value, expected);
}

static void check_all_segments(const fixture *f)
{
    unsigned char *bytes = NULL;
    size_t size, n_segments = 0;
    char *fields[MAX_FIELDS], *rest;
    limn_meteor_stats sum = { 0 }, stats;
    assert_int_equal(limn_file_read(&bytes, &size, source_path("tests/data/meteor/expected.tsv"),
                                    MAX_FILE, NULL),
                     LIMN_OK);
    for (char *line = strtok_r((char *)bytes, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        const size_t n = split(fields, line);
        const double expected = strtod(fields[0], NULL);
        if (n == 2) {
            assert_near(limn_meteor_stats_score(&sum), expected, 1e-12, "corpus");
            continue;
        }
        assert_int_equal(limn_meteor_score(&stats, f->meteor, fields[2],
                                           (const char *const *)fields + 3, n - 3, NULL),
                         LIMN_OK);
        assert_stats(&stats, fields[1], fields[2]);
        assert_near(limn_meteor_stats_score(&stats), expected, 1e-12, fields[2]);
        limn_meteor_stats_add(&sum, &stats);
        n_segments++;
    }
    assert_true(n_segments > 100);
    limn_free(bytes);
}

static void test_scores_are_those_of_the_java_program(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, source_path("tests/data/meteor"), NULL);
    assert_true(limn_meteor_data_has_paraphrases(f.data));
    check_all_segments(&f);
    close_fixture(&f);
}

/* The cache is made, used, and made again when it is damaged. */
static void test_a_cache_changes_nothing(void **state)
{
    const char *cache = temp_path("paraphrases.cache");
    unsigned char *first, *again;
    size_t first_size, size;
    fixture f;
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_fixture(&f, source_path("tests/data/meteor"), cache);
        check_all_segments(&f);
        close_fixture(&f);
    }
    assert_int_equal(limn_file_read(&first, &first_size, cache, MAX_FILE, NULL), LIMN_OK);
    for (size_t damaged = 0; damaged < first_size; damaged += 61) {
        first[damaged] ^= 0x40;
        assert_int_equal(limn_file_replace(cache, first, first_size, NULL), LIMN_OK);
        first[damaged] ^= 0x40;
        open_fixture(&f, source_path("tests/data/meteor"), cache);
        close_fixture(&f);
        assert_int_equal(limn_file_read(&again, &size, cache, MAX_FILE, NULL), LIMN_OK);
        assert_int_equal(size, first_size);
        assert_memory_equal(again, first, size);
        limn_free(again);
    }
    limn_free(first);
}

static void test_what_is_missing_is_named(void **state)
{
    limn_meteor_data *data = NULL;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(limn_meteor_data_open(&data, temp_path("nowhere"), NULL, &err), LIMN_E_IO);
    assert_null(data);
    assert_non_null(strstr(err.text, "nowhere: has neither function/english.words nor"));
}

static void test_bad_captions_are_refused(void **state)
{
    const char *ref = "a dog";
    char *words = limn_calloc(1, 2 * LIMN_METEOR_MAX_WORDS + 8);
    limn_meteor_stats stats;
    fixture f;
    (void)state;
    open_fixture(&f, source_path("tests/data/meteor"), NULL);
    assert_int_equal(limn_meteor_score(&stats, f.meteor, "a \xff dog", &ref, 1, &f.error),
                     LIMN_E_FORMAT);
    assert_int_equal(limn_meteor_score(&stats, f.meteor, "a dog", &ref, 0, NULL), LIMN_E_ARG);
    for (size_t i = 0; i < LIMN_METEOR_MAX_WORDS; i++) memcpy(words + 2 * i, "a ", 2);
    assert_int_equal(limn_meteor_score(&stats, f.meteor, words, &ref, 1, NULL), LIMN_OK);
    assert_true(stats.hyp.n_words == LIMN_METEOR_MAX_WORDS);
    strcat(words, "a");
    assert_int_equal(limn_meteor_score(&stats, f.meteor, words, &ref, 1, NULL), LIMN_E_LIMIT);
    limn_free(words);
    close_fixture(&f);
}

/* ---- golden values with METEOR's own data --------------------------------------------------- */

static bool find_golden(const char **folder, char path[1024], const char *name)
{
    *folder = getenv("LIMN_METEOR_DATA");
    snprintf(path, 1024, "%s", source_path("../shared/golden/"));
    strcat(path, name);
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    if (!file)
        print_message("SKIP: ../shared is not here\n");
    else if (!*folder)
        print_message("SKIP: LIMN_METEOR_DATA does not name METEOR's data\n");
    return file && *folder;
}

/* captions[i]: the tokens of NAME#i in flickr8k_ptb.tsv */
static void find_captions(char *captions[5], char *text, const char *name)
{
    char key[300];
    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "%s#%d\t", name, i);
        char *line = strstr(text, key);
        assert_non_null(line);
        line += strlen(key);
        captions[i] = limn_strndup(line, strcspn(line, "\n"));
    }
}

static void test_golden_flickr8k(void **state)
{
    const char *folder, *name;
    char path[1024];
    unsigned char *json = NULL, *tokens = NULL;
    size_t size;
    json_t *document, *photo;
    fixture f;
    limn_meteor_stats sum = { 0 }, stats;
    (void)state;
    if (!find_golden(&folder, path, "metrics_flickr8k_dev.json")) skip();
    assert_int_equal(limn_file_read(&json, &size, path, MAX_FILE, NULL), LIMN_OK);
    assert_int_equal(limn_json_parse(&document, json, size, NULL), LIMN_OK);
    assert_int_equal(limn_file_read(&tokens, &size,
                                    source_path("../shared/golden/flickr8k_ptb.tsv"), MAX_FILE,
                                    NULL),
                     LIMN_OK);
    open_fixture(&f, folder, NULL);
    json_object_foreach(json_object_get(document, "per_image"), name, photo)
    {
        char *captions[5];
        find_captions(captions, (char *)tokens, name);
        assert_int_equal(limn_meteor_score(&stats, f.meteor, captions[0],
                                           (const char *const *)captions + 1, 4, NULL),
                         LIMN_OK);
        assert_near(limn_meteor_stats_score(&stats),
                    json_real_value(json_object_get(photo, "METEOR")), 1e-9, name);
        limn_meteor_stats_add(&sum, &stats);
        for (int i = 0; i < 5; i++) limn_free(captions[i]);
    }
    assert_near(limn_meteor_stats_score(&sum), json_real_value(json_object_get(document, "METEOR")),
                1e-9, "corpus");
    close_fixture(&f);
    json_decref(document);
    limn_free(json);
    limn_free(tokens);
}

/* Without the paraphrase table: a folder that has only the jar. */
static void test_golden_without_paraphrases(void **state)
{
    const char *folder;
    char path[1024], jar[1024];
    unsigned char *json = NULL;
    size_t size, i;
    json_t *document, *input;
    fixture f;
    limn_meteor_stats sum = { 0 }, stats;
    (void)state;
    if (!find_golden(&folder, path, "metrics_small.json")) skip();
    snprintf(jar, sizeof jar, "%s/meteor-1.5.jar", folder);
    assert_int_equal(symlink(jar, temp_path("meteor-1.5.jar")), 0);
    assert_int_equal(limn_file_read(&json, &size, path, MAX_FILE, NULL), LIMN_OK);
    assert_int_equal(limn_json_parse(&document, json, size, NULL), LIMN_OK);
    open_fixture(&f, temp_folder, NULL);
    assert_false(limn_meteor_data_has_paraphrases(f.data));
    const json_t *small = json_object_get(document, "small");
    json_array_foreach(json_object_get(small, "inputs"), i, input)
    {
        const json_t *refs = json_object_get(input, "refs_tok");
        const char *texts[MAX_FIELDS];
        const size_t n_refs = json_array_size(refs);
        for (size_t k = 0; k < n_refs; k++) texts[k] = json_string_value(json_array_get(refs, k));
        assert_int_equal(limn_meteor_score(&stats, f.meteor,
                                           json_string_value(json_object_get(input, "hyp_tok")),
                                           texts, n_refs, NULL),
                         LIMN_OK);
        assert_near(
            limn_meteor_stats_score(&stats),
            json_number_value(json_array_get(json_object_get(small, "METEOR_noparaphrase_seg"), i)),
            1e-9, texts[0]);
        limn_meteor_stats_add(&sum, &stats);
    }
    assert_near(limn_meteor_stats_score(&sum),
                json_real_value(json_object_get(small, "METEOR_noparaphrase")), 1e-9, "corpus");
    close_fixture(&f);
    json_decref(document);
    limn_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_are_those_of_the_java_program),
        cmocka_unit_test(test_a_cache_changes_nothing),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_bad_captions_are_refused),
        cmocka_unit_test(test_golden_flickr8k),
        cmocka_unit_test(test_golden_without_paraphrases),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

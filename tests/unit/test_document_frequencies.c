/* Document frequencies to a model file's tensors and back, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "models/document_frequencies.h"
#include "tests/unit/temp_folder.h"

enum { A, DOG, CAT, RUNS, N_WORDS };
static const char *const texts[] = { "a", "dog", "cat", "runs" };

static const char *text_of(const void *words, uint32_t word)
{
    return ((const char *const *)words)[word];
}

/* Three images: "a dog runs" and "a dog", "a cat runs", "a dog". */
static limn_cider_df *count_some(void)
{
    static const uint32_t words[] = { A, DOG, RUNS, A, DOG, A, CAT, RUNS, A, DOG };
    const limn_sentence images[3][2] = { { { words, 3 }, { words + 3, 2 } },
                                         { { words + 5, 3 } },
                                         { { words + 8, 2 } } };
    limn_ngram_counts_list list = { 0 };
    limn_cider_df *df;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    for (size_t i = 0; i < 3; i++) {
        const size_t n = i == 0 ? 2 : 1;
        assert_int_equal(limn_ngram_counts_list_fill(&list, images[i], n, NULL), LIMN_OK);
        assert_int_equal(limn_cider_df_add(df, list.items, n, NULL), LIMN_OK);
    }
    limn_ngram_counts_list_finish(&list);
    return df;
}

static uint32_t find(const limn_document_frequencies *f, const char *first, const char *second,
                     const char *third)
{
    const char *const words[] = { first, second, third };
    const size_t n = third ? 3 : second ? 2 : 1;
    return limn_document_frequencies_find(f, words, n);
}

static void check_some(const limn_document_frequencies *f)
{
    assert_int_equal(limn_document_frequencies_n_images(f), 3);
    assert_int_equal(limn_document_frequencies_n_ngrams(f), 4); /* a, dog, runs, a dog */
    assert_int_equal(find(f, "a", NULL, NULL), 3);
    assert_int_equal(find(f, "dog", NULL, NULL), 2);
    assert_int_equal(find(f, "runs", NULL, NULL), 2);
    assert_int_equal(find(f, "a", "dog", NULL), 2);
    assert_int_equal(find(f, "cat", NULL, NULL), 1);
    assert_int_equal(find(f, "a", "dog", "runs"), 1);
    assert_int_equal(find(f, "zebra", NULL, NULL), 1);
    assert_int_equal(find(f, "ad", "og", NULL), 1);
}

static limn_document_frequencies *make_some(void)
{
    limn_document_frequencies *f;
    limn_cider_df *df = count_some();
    assert_int_equal(limn_document_frequencies_create(&f, df, text_of, texts, NULL), LIMN_OK);
    limn_cider_df_destroy(&df);
    return f;
}

static void test_counts_become_a_table(void **state)
{
    limn_document_frequencies *f = make_some();
    (void)state;
    check_some(f);
    limn_document_frequencies_destroy(&f);
    assert_null(f);
    limn_document_frequencies_destroy(&f);
}

static void test_no_images_are_an_error(void **state)
{
    limn_document_frequencies *f;
    limn_cider_df *df;
    (void)state;
    assert_int_equal(limn_cider_df_create(&df, NULL), LIMN_OK);
    assert_int_equal(limn_document_frequencies_create(&f, df, text_of, texts, NULL), LIMN_E_ARG);
    assert_null(f);
    limn_cider_df_destroy(&df);
}

/* A file with these tensors [n] and the metadata, read; NULL: no metadata. */
static limn_status read_back(limn_document_frequencies **f, const limn_tensor *tensors, size_t n,
                             const char *metadata, limn_error *err)
{
    const char *path = temp_path("df.safetensors");
    const limn_metadata_item item = { LIMN_DOCUMENT_FREQUENCIES_KEY, metadata };
    limn_safetensors *file;
    assert_int_equal(limn_safetensors_write(path, tensors, n, &item, metadata != NULL, NULL),
                     LIMN_OK);
    assert_int_equal(limn_safetensors_open(&file, path, NULL), LIMN_OK);
    const limn_status status = limn_document_frequencies_read(f, file, err);
    limn_safetensors_close(&file);
    return status;
}

static void test_a_file_gives_back_what_was_written(void **state)
{
    limn_tensor tensors[LIMN_DOCUMENT_FREQUENCIES_N_TENSORS];
    limn_document_frequencies *f = make_some(), *read;
    const size_t n = limn_document_frequencies_tensors(f, tensors);
    const limn_metadata_item item = limn_document_frequencies_metadata(f);
    (void)state;
    assert_string_equal(item.key, LIMN_DOCUMENT_FREQUENCIES_KEY);
    assert_int_equal(read_back(&read, tensors, n, item.value, NULL), LIMN_OK);
    check_some(read);
    limn_document_frequencies_destroy(&read);
    assert_int_equal(read_back(&read, tensors, n, NULL, NULL), LIMN_OK);
    assert_null(read);
    limn_document_frequencies_destroy(&f);
}

/* Checks the format itself, not only that both directions agree. */
static void test_hashes_are_those_of_the_format(void **state)
{
    const uint64_t hash = limn_fnv1a64(LIMN_FNV1A64_INIT, "red café", strlen("red café"));
    const uint32_t count = 7;
    const limn_tensor tensors[] = {
        { "document_frequencies.hashes", LIMN_TENSOR_U64, 1, { 1 }, &hash, sizeof hash },
        { "document_frequencies.counts", LIMN_TENSOR_U32, 1, { 1 }, &count, sizeof count },
    };
    limn_document_frequencies *f;
    (void)state;
    assert_int_equal(read_back(&f, tensors, 2, "{\"pictures\": 9}", NULL), LIMN_OK);
    assert_int_equal(find(f, "red", "café", NULL), 7);
    limn_document_frequencies_destroy(&f);
}

static void test_an_empty_table_is_one(void **state)
{
    const limn_tensor tensors[] = {
        { "document_frequencies.hashes", LIMN_TENSOR_U64, 1, { 0 }, "", 0 },
        { "document_frequencies.counts", LIMN_TENSOR_U32, 1, { 0 }, "", 0 },
    };
    limn_document_frequencies *f;
    (void)state;
    assert_int_equal(read_back(&f, tensors, 2, "{\"pictures\": 9}", NULL), LIMN_OK);
    assert_int_equal(find(f, "a", NULL, NULL), 1);
    limn_document_frequencies_destroy(&f);
}

static void test_damage_is_named(void **state)
{
    static const uint64_t rising[] = { 3, 5, 9 }, falling[] = { 3, 9, 5 }, twice[] = { 3, 3, 9 };
    static const uint32_t counts[] = { 2, 3, 4 }, zero[] = { 2, 0, 4 };
    static const char some[] = "{\"pictures\": 4}";
    static const struct {
        const uint64_t *hashes;
        const uint32_t *counts;
        size_t n_counts;
        limn_tensor_dtype dtype; /* of hashes */
        const char *metadata, *says;
    } cases[] = {
        { falling, counts, 3, LIMN_TENSOR_U64, some, "hashes: value 2 is not above" },
        { twice, counts, 3, LIMN_TENSOR_U64, some, "hashes: value 1 is not above" },
        { rising, zero, 3, LIMN_TENSOR_U64, some, "counts: value 1 is 0, not in 1 … 4" },
        { rising, counts, 3, LIMN_TENSOR_U64, "{\"pictures\": 3}", "value 2 is 4, not in 1 … 3" },
        { rising, counts, 2, LIMN_TENSOR_U64, some, "counts has 2 values, but" },
        { rising, counts, 0, LIMN_TENSOR_U64, some, "counts is missing" },
        { rising, counts, 3, LIMN_TENSOR_I64, some, "expected U64 of one dimension" },
        { rising, counts, 3, LIMN_TENSOR_U64, "{\"pictures\": 0}", "pictures" },
        { rising, counts, 3, LIMN_TENSOR_U64, "{\"pictures\": \"4\"}", "pictures" },
        { rising, counts, 3, LIMN_TENSOR_U64, "[4]", LIMN_DOCUMENT_FREQUENCIES_KEY },
        { rising, counts, 3, LIMN_TENSOR_U64, "{", LIMN_DOCUMENT_FREQUENCIES_KEY },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const limn_tensor tensors[] = {
            { "document_frequencies.hashes", cases[i].dtype, 1, { 3 }, cases[i].hashes, 24 },
            { "document_frequencies.counts",
              LIMN_TENSOR_U32,
              1,
              { cases[i].n_counts },
              cases[i].counts,
              4 * cases[i].n_counts },
        };
        limn_document_frequencies *f;
        limn_error err = { 0 };
        assert_int_equal(read_back(&f, tensors, cases[i].n_counts ? 2 : 1, cases[i].metadata, &err),
                         LIMN_E_FORMAT);
        assert_null(f);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_become_a_table),
        cmocka_unit_test(test_no_images_are_an_error),
        cmocka_unit_test(test_a_file_gives_back_what_was_written),
        cmocka_unit_test(test_hashes_are_those_of_the_format),
        cmocka_unit_test(test_an_empty_table_is_one),
        cmocka_unit_test(test_damage_is_named),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

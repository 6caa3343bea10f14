/* Heads that recognize concepts: in files, and when run. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/captioner.h"
#include "models/tagger.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/kernels_of.h"

enum { DIM = 48, N_POSITIONS = 9, N_TAGS = 8 };

/* ---- files -------------------------------------------------------------------------------- */

/* Writes heads as a safetensors file with this text as their metadata (NULL: their own). */
static limn_safetensors *store(limn_tag_heads *heads, const char *text)
{
    limn_tensor tensors[LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS];
    const size_t n = limn_tag_heads_tensors(heads, tensors);
    limn_metadata_item item;
    limn_safetensors *file;
    assert_int_equal(limn_tag_heads_metadata(heads, &item, NULL), LIMN_OK);
    if (text) item.value = text;
    assert_int_equal(limn_safetensors_write(temp_path("tags"), tensors, n, &item, 1, NULL),
                     LIMN_OK);
    assert_int_equal(limn_safetensors_open(&file, temp_path("tags"), NULL), LIMN_OK);
    return file;
}

static void assert_tensors_equal(const limn_tag_heads *a, const limn_tag_heads *b)
{
    limn_tensor x[LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS];
    limn_tensor y[LIMN_TAGS_MAX_HEADS * LIMN_TAGS_MAX_TENSORS];
    const size_t n = limn_tag_heads_tensors(a, x);
    assert_int_equal(limn_tag_heads_tensors(b, y), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(x[i].name, y[i].name);
        assert_int_equal(x[i].dtype, y[i].dtype);
        assert_int_equal(x[i].size, y[i].size);
        assert_memory_equal(x[i].data, y[i].data, x[i].size);
    }
}

static void test_heads_are_read_as_they_were_written(void **state)
{
    limn_tag_heads heads, again;
    limn_safetensors *file;
    (void)state;
    for (int is_half = 0; is_half < 2; is_half++) {
        assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
        if (is_half) assert_int_equal(limn_tag_heads_narrow(&heads, NULL), LIMN_OK);
        file = store(&heads, NULL);
        assert_int_equal(limn_tag_heads_read(&again, file, DIM, NULL), LIMN_OK);
        assert_int_equal(again.n_items, 2);
        assert_string_equal(again.items[0].set, "one");
        assert_true(again.items[0].is_exclusive && !again.items[0].has_maximum);
        assert_string_equal(again.items[0].names[4], "café");
        assert_int_equal(again.items[1].n_hidden, 20);
        assert_tensors_equal(&heads, &again);
        limn_tag_heads_finish(&again);
        limn_safetensors_close(&file);
        limn_tag_heads_finish(&heads);
    }
}

static void test_no_heads(void **state)
{
    const limn_metadata_item item = { "format", "pt" };
    const limn_tensor tensor = {
        .name = "x", .size = 4, .n_dims = 1, .shape = { 1 }, .data = "abcd"
    };
    limn_tag_heads heads;
    limn_safetensors *file;
    (void)state;
    assert_int_equal(limn_safetensors_write(temp_path("none"), &tensor, 1, &item, 1, NULL), 0);
    assert_int_equal(limn_safetensors_open(&file, temp_path("none"), NULL), LIMN_OK);
    assert_int_equal(limn_tag_heads_read(&heads, file, DIM, NULL), LIMN_OK);
    assert_int_equal(heads.n_items, 0);
    limn_tag_heads_finish(&heads);
    limn_safetensors_close(&file);
}

#define HEAD "\"exclusive\": true, \"maximum\": false, \"hidden\": 0, "
#define NAMES "\"names\": [\"a\", \"b\", \"c\", \"d\", \"e\"]"

static void test_bad_files(void **state)
{
    static const char *const cases[][2] = {
        { "", "line 1" },
        { "{}", "expected an array, is an object" },
        { "[]", "0 heads, expected 1 to 8" },
        { "[1]", "expected an object, is 1" },
        { "[{}]", "[0].set: is missing" },
        { "[{\"set\": \"One\"}]", "[0].set: expected 1 to 31 of a-z 0-9 _ -" },
        { "[{\"set\": \"\"}]", "[0].set: expected 1 to 31 of a-z 0-9 _ -" },
        { "[{\"set\": \"one\"}]", "[0].exclusive: is missing" },
        { "[{\"set\": \"one\", \"exclusive\": true, \"maximum\": false, \"hidden\": 8193}]",
          "[0].hidden: expected an integer in 0 … 8192, is 8193" },
        { "[{\"set\": \"one\", " HEAD "\"names\": []}]",
          "[0].names: 0 names, expected 1 to 10000" },
        { "[{\"set\": \"one\", " HEAD "\"names\": [\"a\", 1]}]",
          "[0].names[1]: expected a string, is 1" },
        { "[{\"set\": \"one\", " HEAD "\"names\": [\"a\", \"\"]}]",
          "[0].names[1]: expected 1 to 100 bytes without control characters" },
        { "[{\"set\": \"one\", " HEAD "\"names\": [\"a\\n\"]}]",
          "[0].names[0]: expected 1 to 100 bytes without control characters" },
        { "[{\"set\": \"one\", " HEAD "\"names\": [\"a\"]}]",
          "tensor tags.one.output.weight is F32 [5, 48], expected F32 [1, 48] or F16" },
        { "[{\"set\": \"two\", " HEAD NAMES "}]", "tensor tags.two.output.weight is missing" },
        { "[{\"set\": \"one\", " HEAD NAMES "}, {\"set\": \"one\", " HEAD NAMES "}]",
          "[1].set: a second head \"one\"" },
    };
    limn_tag_heads heads, out;
    (void)state;
    assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_safetensors *file = store(&heads, cases[i][0]);
        limn_error err = { 0 };
        assert_int_equal(limn_tag_heads_read(&out, file, DIM, &err), LIMN_E_FORMAT);
        if (strncmp(err.text, LIMN_TAGS_KEY, 9) != 0 || !strstr(err.text, cases[i][1]))
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i][0], err.text, cases[i][1]);
        assert_int_equal(out.n_items, 0);
        limn_safetensors_close(&file);
    }
    limn_tag_heads_finish(&heads);
}

/* The dimension must be the encoder's, and every value a number. */
static void test_bad_tensors(void **state)
{
    limn_tag_heads heads, out;
    limn_safetensors *file;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
    file = store(&heads, NULL);
    assert_int_equal(limn_tag_heads_read(&out, file, DIM + 16, &err), LIMN_E_FORMAT);
    limn_safetensors_close(&file);
    *((float *)(uintptr_t)heads.items[1].hidden_bias.data + 3) = NAN;
    file = store(&heads, NULL);
    err = (limn_error){ 0 };
    assert_int_equal(limn_tag_heads_read(&out, file, DIM, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "limn.tags: tensor tags.any.hidden.bias has a value that is not "
                                  "finite");
    limn_safetensors_close(&file);
    limn_tag_heads_finish(&heads);
}

static void test_a_head_replaces_that_of_its_set(void **state)
{
    static const char *const names[] = { "only" };
    static const float values[DIM] = { 1 };
    limn_tag_head head = {
        .set = "one",
        .n_tags = 1,
        .names = names,
        .output_weight = { .name = "w",
                           .n_dims = 2,
                           .shape = { 1, DIM },
                           .data = values,
                           .size = sizeof values },
        .output_bias = { .name = "b", .n_dims = 1, .shape = { 1 }, .data = values, .size = 4 },
    };
    limn_tag_heads heads;
    limn_error err = { 0 };
    (void)state;
    assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
    assert_int_equal(limn_tag_heads_add(&heads, &head, DIM, NULL), LIMN_OK);
    assert_int_equal(heads.n_items, 2);
    assert_string_equal(heads.items[0].names[0], "only");
    assert_string_equal(heads.items[0].output_weight.name, "tags.one.output.weight");
    head.output_bias.shape[0] = 2;
    assert_int_equal(limn_tag_heads_add(&heads, &head, DIM, &err), LIMN_E_ARG);
    assert_string_equal(err.text, "tags \"one\": the shape of output.bias is another");
    memcpy(head.set, "a b", 4);
    assert_int_equal(limn_tag_heads_add(&heads, &head, DIM, NULL), LIMN_E_ARG);
    assert_int_equal(heads.n_items, 2);
    limn_tag_heads_finish(&heads);
}

/* ---- running ------------------------------------------------------------------------------ */

static void make_features(float features[N_POSITIONS * DIM])
{
    limn_rng rng = limn_rng_stream(3, "features", 8);
    for (size_t i = 0; i < N_POSITIONS * DIM; i++)
        features[i] = (float)(2 * limn_rng_uniform(&rng));
}

static const float *values_of(const limn_tensor *t)
{
    return t->data;
}

/* y = w x + b in double. */
static void apply(double *y, const double *x, const limn_tensor *weight, const limn_tensor *bias)
{
    for (size_t o = 0; o < weight->shape[0]; o++) {
        y[o] = (double)values_of(bias)[o];
        for (size_t i = 0; i < weight->shape[1]; i++)
            y[o] += (double)values_of(weight)[o * weight->shape[1] + i] * x[i];
    }
}

static void expect(double *out, const limn_tag_head *h, const float *features)
{
    double pooled[2 * DIM], hidden[32], sum = 0;
    const double *x = pooled;
    for (size_t c = 0; c < DIM; c++) {
        pooled[c] = 0;
        pooled[DIM + c] = (double)features[c];
        for (size_t p = 0; p < N_POSITIONS; p++) {
            pooled[c] += (double)features[p * DIM + c] / N_POSITIONS;
            pooled[DIM + c] = fmax(pooled[DIM + c], (double)features[p * DIM + c]);
        }
    }
    if (h->n_hidden > 0) {
        apply(hidden, pooled, &h->hidden_weight, &h->hidden_bias);
        for (size_t i = 0; i < h->n_hidden; i++) hidden[i] = fmin(fmax(hidden[i], 0), 6);
        x = hidden;
    }
    apply(out, x, &h->output_weight, &h->output_bias);
    for (size_t i = 0; i < h->n_tags; i++) sum += exp(out[i]);
    for (size_t i = 0; i < h->n_tags; i++)
        out[i] = h->is_exclusive ? exp(out[i]) / sum : 1 / (1 + exp(-out[i]));
}

static void run(float *out, const limn_tag_heads *heads, const float *features, const char *level)
{
    limn_cpu_level cpu;
    limn_tagger *tagger;
    limn_arena arena;
    limn_tagger_scratch *scratch;
    assert_int_equal(limn_cpu_level_parse(&cpu, level, NULL), LIMN_OK);
    assert_int_equal(limn_tagger_open(&tagger, heads, N_POSITIONS, DIM, kernels_of(cpu), NULL),
                     LIMN_OK);
    assert_int_equal(limn_tagger_n_tags(tagger), N_TAGS);
    limn_arena_init_counting(&arena);
    limn_tagger_scratch_take(tagger, &arena);
    assert_true(limn_arena_init(&arena, arena.high));
    scratch = limn_tagger_scratch_take(tagger, &arena);
    limn_tagger_run(tagger, scratch, features, out);
    limn_arena_finish(&arena);
    limn_tagger_close(&tagger);
}

static void test_probabilities(void **state)
{
    float features[N_POSITIONS * DIM], out[N_TAGS], at_level[N_TAGS];
    double expected[N_TAGS];
    limn_tag_heads heads;
    (void)state;
    make_features(features);
    assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
    expect(expected, &heads.items[0], features);
    expect(expected + 5, &heads.items[1], features);
    run(out, &heads, features, "c");
    for (size_t i = 0; i < N_TAGS; i++) {
        assert_true(fabs((double)out[i] - expected[i]) < 1e-6);
        assert_true(out[i] > 0.01F && out[i] < 0.99F); /* not trivial */
    }
    for (const char *const *level = limn_cpu_levels(); *level; level++) {
        run(at_level, &heads, features, *level);
        assert_memory_equal(at_level, out, sizeof out);
    }
    limn_tag_heads_finish(&heads);
}

static void test_best(void **state)
{
    static const float probabilities[N_TAGS] = { 0.1F, 0.4F, 0.2F, 0.4F, 0, 0.9F, 0.4F, 0.3F };
    static const char *const names[] = { "person", "zebra",   "crane (bird)", "hot dog",
                                         "zebra",  "go-kart", "hen",          "café" };
    limn_tag_heads heads;
    limn_tagger *tagger;
    limn_tag best[N_TAGS + 1];
    size_t first, n;
    (void)state;
    assert_int_equal(toy_tag_heads(&heads, DIM, 1, NULL), LIMN_OK);
    assert_int_equal(
        limn_tagger_open(&tagger, &heads, N_POSITIONS, DIM, kernels_of(LIMN_CPU_C), NULL), 0);
    for (size_t k = 0; k <= N_TAGS + 1; k++) {
        const size_t expected = k < N_TAGS ? k : N_TAGS;
        assert_int_equal(limn_tagger_best(best, k, tagger, probabilities), expected);
        for (size_t i = 0; i < expected; i++) assert_string_equal(best[i].name, names[i]);
    }
    assert_string_equal(best[0].set, "any");
    assert_true(best[0].probability == 0.9F);
    assert_true(limn_tagger_find_set(&first, &n, tagger, "any") && first == 5 && n == 3);
    assert_false(limn_tagger_find_set(&first, &n, tagger, "an"));
    limn_tagger_close(&tagger);
    limn_tag_heads_finish(&heads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_read_as_they_were_written),
        cmocka_unit_test(test_no_heads),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_a_head_replaces_that_of_its_set),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_best),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

/* --search transformers and virtex against the originals' captions and scores with the decoders of
 * tests/data/layouts (tests/fixtures/make_generate.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io/fileio.h"
#include "common/base/mem.h"
#include "decoder/decoder.h"
#include "models/decoder_config.h"
#include "tests/fixtures/drive_search.h"
#include "tests/fixtures/kernels_of.h"

enum { N_TOKENS = 24, MAX_STEPS = 10, MAX_ROWS = 5 };

static const char *path_of(const char *name)
{
    static char path[512];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/data/layouts/%s", root ? root : ".", name);
    return path;
}

static json_t *read_json(const char *text, size_t size)
{
    json_t *document = NULL;
    assert_int_equal(limn_json_parse(&document, text, size, NULL), LIMN_OK);
    return document;
}

/* ---- a decoder ------------------------------------------------------------------------------ */

typedef struct bench {
    limn_decoder *decoder;
    limn_decoder_state *state;
    float *features;
    const limn_kernels *kernels;
} bench;

static void open_bench(bench *b, const char *layout)
{
    char name[40];
    limn_safetensors *file;
    limn_decoder_config config;
    snprintf(name, sizeof name, "%s.safetensors", layout);
    assert_int_equal(limn_safetensors_open(&file, path_of(name), NULL), LIMN_OK);
    const char *text = limn_safetensors_metadata(file, "limn.decoder");
    json_t *document = read_json(text, strlen(text));
    const limn_json_node root = limn_json_root(document);
    assert_int_equal(limn_decoder_config_read(&config, &root, NULL), LIMN_OK);
    config.n_tokens = N_TOKENS;
    const limn_tensor *features = limn_safetensors_find(file, "features");
    b->features = limn_alloc(features->size, 1);
    limn_tensor_to_f32(b->features, features);
    b->kernels = kernels_of(LIMN_CPU_C);
    assert_int_equal(limn_decoder_open(&b->decoder, file, &config, b->kernels, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&b->state, b->decoder, MAX_ROWS, MAX_STEPS, NULL),
                     LIMN_OK);
    json_decref(document);
    limn_safetensors_close(&file);
}

static void close_bench(bench *b)
{
    limn_decoder_state_destroy(&b->state);
    limn_decoder_close(&b->decoder);
    limn_free(b->features);
}

static void step(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                 float *logits)
{
    limn_decoder_step(((bench *)ctx)->state, NULL, n_rows, parents, tokens, logits);
}

/* ---- searches ------------------------------------------------------------------------------- */

static size_t count_of(const json_t *golden, const char *key)
{
    return (size_t)json_integer_value(json_object_get(golden, key));
}

static float real_of(const json_t *golden, const char *key, float value)
{
    const json_t *number = json_object_get(golden, key);
    return number ? (float)json_number_value(number) : value;
}

static size_t ids_of(uint32_t *ids, const json_t *golden, const char *key)
{
    const json_t *list = json_object_get(golden, key);
    for (size_t i = 0; i < json_array_size(list); i++)
        ids[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    return json_array_size(list);
}

/* Measures the scratch memory first. */
static const limn_hypothesis *search_as_transformers(bench *b, limn_arena *a, const json_t *golden)
{
    uint32_t prompt[MAX_STEPS];
    const limn_hypothesis *out;
    size_t n;
    limn_arena counting;
    const limn_generate_settings s = {
        .beam_size = count_of(golden, "beam"),
        .n_best = 1,
        .max_new = count_of(golden, "max_new"),
        .min_new = count_of(golden, "min_new"),
        .length_penalty = real_of(golden, "length_penalty", 1),
        .repetition_penalty = real_of(golden, "repetition_penalty", 1),
        .prompt = prompt,
        .n_prompt = ids_of(prompt, golden, "prompt"),
        .n_tokens = N_TOKENS,
        .end_token = (uint32_t)count_of(golden, "end"),
        .log_sum_exp = b->kernels->log_sum_exp,
    };
    limn_arena_init_counting(&counting);
    assert_null(limn_generate_plan(&counting, &s));
    assert_true(limn_arena_init(a, counting.high));
    limn_generate *g = limn_generate_plan(a, &s);
    assert_int_equal(drive_generate(g, &s, step, b, &out, &n, NULL), LIMN_OK);
    assert_int_equal(n, 1);
    return out;
}

static const limn_hypothesis *search_as_virtex(bench *b, limn_arena *a, const json_t *golden)
{
    const limn_hypothesis *out;
    size_t n;
    limn_arena counting;
    const limn_virtex_settings s = {
        .beam_size = count_of(golden, "beam"),
        .n_best = 2,
        .max_steps = count_of(golden, "max_new"),
        .n_tokens = N_TOKENS,
        .start_token = 1,
        .end_token = (uint32_t)count_of(golden, "end"),
        .log_sum_exp = b->kernels->log_sum_exp,
    };
    limn_arena_init_counting(&counting);
    assert_null(limn_virtex_search_plan(&counting, &s));
    assert_true(limn_arena_init(a, counting.high));
    limn_virtex_search *v = limn_virtex_search_plan(a, &s);
    assert_int_equal(drive_virtex(v, &s, step, b, &out, &n, NULL), LIMN_OK);
    assert_true(n == 2 && out[0].score >= out[1].score);
    return out;
}

static void check_case(bench *b, const json_t *golden)
{
    uint32_t ids[MAX_STEPS];
    limn_arena arena;
    const char *layout = json_string_value(json_object_get(golden, "layout"));
    const json_t *score = json_object_get(golden, "score");
    const size_t n = ids_of(ids, golden, "ids");
    limn_decoder_begin(b->state, NULL, b->features, NULL);
    const limn_hypothesis *h = strcmp(layout, "virtex") == 0
                                   ? search_as_virtex(b, &arena, golden)
                                   : search_as_transformers(b, &arena, golden);
    if (h->n_tokens != n || memcmp(h->tokens, ids, n * sizeof *ids) != 0)
        fail_msg("%s: other ids, the first %u, expected %u", layout, h->tokens[0], ids[0]);
    if (json_is_number(score)) assert_true(fabs(h->score - json_number_value(score)) < 1e-4);
    assert_int_equal(h->is_finished, ids[n - 1] == count_of(golden, "end"));
    double sum = 0;
    for (size_t i = 0; i < h->n_tokens; i++) sum += (double)h->token_logprobs[i];
    assert_true(fabs(sum - h->logprob) < 1e-5);
    limn_arena_finish(&arena);
}

static void test_captions_are_those_of_the_originals(void **state)
{
    static const char *const layouts[] = { "blip", "gpt2", "git", "virtex" };
    unsigned char *bytes;
    size_t size, n_ended = 0;
    (void)state;
    assert_int_equal(limn_file_read(&bytes, &size, path_of("generate.json"), 1 << 20, NULL),
                     LIMN_OK);
    json_t *golden = read_json((char *)bytes, size);
    for (size_t l = 0; l < 4; l++) {
        bench b;
        open_bench(&b, layouts[l]);
        for (size_t i = 0; i < json_array_size(golden); i++) {
            const json_t *one = json_array_get(golden, i);
            if (strcmp(json_string_value(json_object_get(one, "layout")), layouts[l]) != 0)
                continue;
            check_case(&b, one);
            n_ended += json_array_size(json_object_get(one, "ids")) < count_of(one, "max_new");
        }
        close_bench(&b);
    }
    assert_true(json_array_size(golden) > 80 && n_ended > 20);
    json_decref(golden);
    limn_free(bytes);
}

/* Makes every token impossible, as a program that stops a search does. */
static void nothing(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                    float *logits)
{
    (void)ctx;
    (void)parents;
    (void)tokens;
    for (size_t i = 0; i < n_rows * N_TOKENS; i++) logits[i] = -INFINITY;
}

static void test_a_search_without_logits_ends(void **state)
{
    const uint32_t start = 1;
    (void)state;
    for (size_t beam = 1; beam <= 3; beam += 2) {
        const limn_generate_settings s = { .beam_size = beam,
                                           .n_best = 1,
                                           .max_new = 5,
                                           .length_penalty = 1,
                                           .repetition_penalty = 1,
                                           .prompt = &start,
                                           .n_prompt = 1,
                                           .n_tokens = N_TOKENS,
                                           .end_token = 2,
                                           .log_sum_exp = kernels_of(LIMN_CPU_C)->log_sum_exp };
        const limn_virtex_settings t = { .beam_size = beam,
                                         .n_best = 1,
                                         .max_steps = 5,
                                         .n_tokens = N_TOKENS,
                                         .start_token = 1,
                                         .end_token = 2,
                                         .log_sum_exp = s.log_sum_exp };
        limn_arena arena;
        const limn_hypothesis *out;
        size_t n;
        assert_true(limn_arena_init(&arena, 1 << 20));
        assert_int_equal(
            drive_generate(limn_generate_plan(&arena, &s), &s, nothing, NULL, &out, &n, NULL),
            LIMN_E_ARG);
        assert_int_equal(
            drive_virtex(limn_virtex_search_plan(&arena, &t), &t, nothing, NULL, &out, &n, NULL),
            LIMN_E_ARG);
        limn_arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions_are_those_of_the_originals),
        cmocka_unit_test(test_a_search_without_logits_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

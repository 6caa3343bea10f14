/* generate_lines FILE: searches with the decoder of FILE (tests/fixtures/make_decoder_layouts.py)
 * and its features. A line of standard input is JSON: {"search": "transformers" or "virtex", "end",
 * "beam", "max_new", "min_new", "length_penalty", "repetition_penalty", "prompt": [start token,
 * …]}. Prints {"ids", "score"} of the best caption. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/base/mem.h"
#include "common/kernels/cpu_level.h"
#include "decoder/decoder.h"
#include "models/decoder_config.h"
#include "tests/fixtures/drive_search.h"

enum { MAX_PROMPT = 16 };

typedef struct bench {
    limn_kernels kernels;
    limn_decoder_config config;
    limn_decoder *decoder;
    limn_decoder_state *state;
    float *features;
} bench;

static void check(limn_status s, const limn_error *err)
{
    if (s == LIMN_OK) return;
    fprintf(stderr, "generate_lines: %s\n", err->text);
    exit(2);
}

static void open_bench(bench *b, const char *path)
{
    limn_safetensors *file;
    json_t *document = NULL;
    limn_error err = { 0 };
    check(limn_safetensors_open(&file, path, &err), &err);
    const char *config = limn_safetensors_metadata(file, "limn.decoder");
    check(limn_json_parse(&document, config, strlen(config), &err), &err);
    const limn_json_node root = limn_json_root(document);
    check(limn_decoder_config_read(&b->config, &root, &err), &err);
    const limn_tensor *features = limn_safetensors_find(file, "features");
    b->config.n_tokens = (uint32_t)limn_safetensors_find(file, "logits")->shape[1];
    b->features = limn_alloc(features->size, 1);
    limn_tensor_to_f32(b->features, features);
    limn_kernels_init(&b->kernels, limn_cpu_best());
    check(limn_decoder_open(&b->decoder, file, &b->config, &b->kernels, &err), &err);
    check(limn_decoder_state_create(&b->state, b->decoder, 8, b->config.max_positions, &err), &err);
    json_decref(document);
    limn_safetensors_close(&file);
}

static void step(void *ctx, size_t n_rows, const uint32_t *parents, const uint32_t *tokens,
                 float *logits)
{
    limn_decoder_step(((bench *)ctx)->state, NULL, n_rows, parents, tokens, logits);
}

static size_t count_of(const json_t *line, const char *key)
{
    return (size_t)json_integer_value(json_object_get(line, key));
}

static limn_status generate(bench *b, const json_t *line, limn_arena *a, const limn_hypothesis **h,
                            limn_error *err)
{
    uint32_t prompt[MAX_PROMPT];
    const json_t *ids = json_object_get(line, "prompt");
    size_t n;
    limn_generate_settings s = {
        .beam_size = count_of(line, "beam"),
        .n_best = 1,
        .max_new = count_of(line, "max_new"),
        .min_new = count_of(line, "min_new"),
        .length_penalty = (float)json_number_value(json_object_get(line, "length_penalty")),
        .repetition_penalty = (float)json_number_value(json_object_get(line, "repetition_penalty")),
        .prompt = prompt,
        .n_prompt = json_array_size(ids),
        .n_tokens = b->config.n_tokens,
        .end_token = (uint32_t)count_of(line, "end"),
        .log_sum_exp = b->kernels.log_sum_exp,
    };
    for (size_t i = 0; i < s.n_prompt; i++)
        prompt[i] = (uint32_t)json_integer_value(json_array_get(ids, i));
    return drive_generate(limn_generate_plan(a, &s), &s, step, b, h, &n, err);
}

static limn_status virtex(bench *b, const json_t *line, limn_arena *a, const limn_hypothesis **h,
                          limn_error *err)
{
    size_t n;
    const limn_virtex_settings s = {
        .beam_size = count_of(line, "beam"),
        .n_best = 1,
        .max_steps = count_of(line, "max_new"),
        .n_tokens = b->config.n_tokens,
        .start_token =
            (uint32_t)json_integer_value(json_array_get(json_object_get(line, "prompt"), 0)),
        .end_token = (uint32_t)count_of(line, "end"),
        .log_sum_exp = b->kernels.log_sum_exp,
    };
    return drive_virtex(limn_virtex_search_plan(a, &s), &s, step, b, h, &n, err);
}

static json_t *answer(bench *b, const json_t *line)
{
    const limn_hypothesis *h;
    limn_arena arena;
    limn_error err = { 0 };
    const char *search = json_string_value(json_object_get(line, "search"));
    limn_arena_init(&arena, 4 << 20);
    limn_decoder_begin(b->state, NULL, b->features, NULL);
    check(strcmp(search, "virtex") == 0 ? virtex(b, line, &arena, &h, &err)
                                        : generate(b, line, &arena, &h, &err),
          &err);
    json_t *ids = json_array();
    for (size_t i = 0; i < h->n_tokens; i++) json_array_append_new(ids, json_integer(h->tokens[i]));
    json_t *out = json_pack("{s:o, s:f}", "ids", ids, "score", h->score);
    limn_arena_finish(&arena);
    return out;
}

int main(int argc, char **argv)
{
    bench b = { .decoder = NULL };
    char *text = NULL;
    size_t capacity = 0;
    ssize_t size;
    if (argc != 2) return 1;
    open_bench(&b, argv[1]);
    while ((size = getline(&text, &capacity, stdin)) > 0) {
        json_t *line = json_loadb(text, (size_t)size, 0, NULL), *out = answer(&b, line);
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(line);
        json_decref(out);
    }
    free(text);
    limn_decoder_state_destroy(&b.state);
    limn_decoder_close(&b.decoder);
    limn_free(b.features);
    return 0;
}

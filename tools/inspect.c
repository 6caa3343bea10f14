/* limn-inspect: what a model file holds, and how much memory it takes to use. */
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "decoder/beam.h"
#include "models/document_frequencies.h"
#include "models/layout_json.h"
#include "models/model_file.h"
#include "models/tag_heads.h"
#include "tools/cli.h"
#include "common/io/file_sha256.h"
#include "tools/inspect/origin.h"
#include "tools/inspect/safe_text.h"
#include "tools/message.h"
#include "tools/standard_streams.h"

#define N_WORDS_SHOWN 16

typedef struct settings {
    uint32_t beam;
    bool has_no_tensors;
} settings;

static const limn_option options[] = {
    { "beam", 0, "K", "beam size to compute the memory for", .type = LIMN_OPT_COUNT,
      .offset = offsetof(settings, beam), .min = 1, .max = LIMN_BEAM_MAX, .default_value = "3",
      .group = "Output" },
    { "no-tensors", 0, NULL, "leave out the list of tensors", .type = LIMN_OPT_FLAG,
      .offset = offsetof(settings, has_no_tensors), .group = "Output" },
};

static const limn_cli_example examples[] = {
    { "limn-inspect model.safetensors", "Everything about a model." },
};

static const limn_cli_tool tool = {
    .name = "limn-inspect",
    .summary = "shows the contents of a model file",
    .operands = "MODEL",
    .description = "Prints the origin of a converted model, its configuration, vocabulary, other "
                   "metadata and tensors, the memory that it needs, and the file's SHA-256. Every "
                   "tensor is checked as when the model is opened.",
    .examples = examples,
    .n_examples = sizeof examples / sizeof *examples,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .min_operands = 1,
    .max_operands = 1,
};

/* ---- parts of the report ------------------------------------------------------------------ */

static void print_input(const limn_input_spec *s)
{
    const size_t n = limn_input_has_one_mean(s) ? 1 : 3;
    printf("input: %u x %u pixels, %s", s->width, s->height, limn_resize_filter_names[s->filter]);
    if (s->fit == LIMN_FIT_CROP) printf(", centre of a shorter side of %u", s->shorter_side);
    if (s->rounding != LIMN_ROUND_TORCHVISION) printf(" (%s)", limn_rounding_names[s->rounding]);
    for (size_t c = 0; c < n; c++)
        printf(", (%s - %g) * %g", n == 1 ? "pixel" : (const char *[]){ "red", "green", "blue" }[c],
               (double)s->mean[c], (double)s->scale[c]);
    putchar('\n');
}

static void print_layout(const limn_decoder_layout *layout)
{
    limn_decoder_layout known;
    const bool is_known = limn_decoder_layout_find(&known, layout->name, NULL) == LIMN_OK &&
                          limn_decoder_layouts_equal(layout, &known);
    printf("layout: %s%s\n", layout->name, is_known ? "" : ", changed: see limn.config");
}

/* What only vision transformers have. */
static void print_vit(const limn_vit_config *v)
{
    if (v->n_layers == 0) return;
    printf(", patches of %u, %u layers, dim %u, %u heads, feed-forward %u, %s, eps %g", v->patch,
           v->n_layers, v->dim, v->n_heads, v->feed_forward_dim,
           limn_activation_names[v->activation], (double)v->eps);
}

static void print_config(const limn_model_config *c)
{
    const limn_encoder_config *e = &c->encoder;
    const limn_decoder_config *d = &c->decoder;
    fputs("encoder: ", stdout);
    limn_safe_text_print(e->family, sizeof e->family);
    print_vit(&e->vit);
    putchar('\n');
    print_input(&e->input);
    if (!c->has_decoder) {
        puts("decoder: none");
        return;
    }
    printf("decoder: %u layers, dim %u, %u heads, feed-forward %u, %u positions\n", d->n_layers,
           d->dim, d->n_heads, d->feed_forward_dim, d->max_positions);
    print_layout(&d->layout);
    printf("memory: %u positions of %u features\n", d->n_memory_positions, d->memory_dim);
    if (d->n_tag_slots > 0) printf("tag slots: %u of %u tags\n", d->n_tag_slots, d->n_tags);
    printf("search: length penalty %g, at most %u steps", (double)c->length_penalty, c->max_steps);
    if (c->no_repeat_ngram > 0) printf(", no n-gram of %u twice", c->no_repeat_ngram);
    if (limn_model_config_guidance(c) != 1) printf(", guidance %g", (double)c->guidance);
    putchar('\n');
}

static void print_vocabulary(const limn_vocab *v)
{
    if (!v) return;
    const size_t n = limn_vocab_n_tokens(v);
    printf("tokenizer: %s\n", limn_vocab_tokenizer(v)->name);
    printf("vocabulary: %zu tokens:", n);
    for (uint32_t i = 0; i < n && i < N_WORDS_SHOWN; i++) printf(" %s", limn_vocab_text(v, i));
    puts(n > N_WORDS_SHOWN ? " ..." : "");
}

static limn_status print_frequencies(const limn_safetensors *file, limn_error *err)
{
    limn_document_frequencies *f;
    LIMN_TRY(limn_document_frequencies_read(&f, file, err));
    if (f)
        printf("document frequencies: %zu n-grams in the captions of %u images\n",
               limn_document_frequencies_n_ngrams(f), limn_document_frequencies_n_images(f));
    limn_document_frequencies_destroy(&f);
    return LIMN_OK;
}

/* Metadata that no other part of the report shows. */
static void print_notes(const limn_safetensors *file)
{
    limn_metadata_item items[64];
    const size_t n = limn_safetensors_list_metadata(items, 64, file);
    for (size_t i = 0; i < n && i < 64; i++) {
        if (strcmp(items[i].key, "limn.config") == 0 ||
            strcmp(items[i].key, "limn.vocabulary") == 0 ||
            strcmp(items[i].key, LIMN_TAGS_KEY) == 0 || limn_origin_has_key(items[i].key))
            continue;
        fputs("metadata: ", stdout);
        limn_safe_text_print(items[i].key, 60);
        fputs(" = ", stdout);
        limn_safe_text_print(items[i].value, 200);
        putchar('\n');
    }
}

static void print_tensors(const limn_safetensors *file, bool is_listed)
{
    char text[160];
    size_t n_bytes = 0;
    for (size_t i = 0; i < limn_safetensors_n_tensors(file); i++) {
        const limn_tensor *t = limn_safetensors_at(file, i);
        n_bytes += t->size;
        if (!is_listed) continue;
        limn_tensor_describe(text, sizeof text, t->dtype, t->n_dims, t->shape);
        fputs("tensor: ", stdout);
        limn_safe_text_print(t->name, 200);
        printf(" %s %zu bytes\n", text, t->size);
    }
    printf("tensors: %zu, %zu bytes\n", limn_safetensors_n_tensors(file), n_bytes);
}

static void print_bytes(const char *what, size_t n_bytes)
{
    printf("%s: %zu bytes (%.1f MB)\n", what, n_bytes, (double)n_bytes / 1e6);
}

/* ---- memory plan -------------------------------------------------------------------------- */

static limn_status print_tags(const limn_safetensors *file, size_t dim, limn_error *err)
{
    limn_tag_heads heads;
    LIMN_TRY(limn_tag_heads_read(&heads, file, dim, err));
    for (size_t i = 0; i < heads.n_items; i++) {
        const limn_tag_head *h = &heads.items[i];
        printf("tags: %s, %u names, %s:", h->set, h->n_tags, h->is_exclusive ? "one" : "any");
        for (size_t k = 0; k < h->n_tags && k < N_WORDS_SHOWN; k++)
            printf("%s %s", k > 0 ? "," : "", h->names[k]);
        puts(h->n_tags > N_WORDS_SHOWN ? " ..." : "");
    }
    limn_tag_heads_finish(&heads);
    return LIMN_OK;
}

static limn_status plan_encoder(const limn_model_file *f, limn_error *err)
{
    limn_encoder *encoder = NULL;
    limn_kernels kernels;
    limn_kernels_init(&kernels, limn_cpu_best());
    LIMN_TRY(limn_encoder_open(&encoder, f->tensors, &f->config.encoder, &kernels, err));
    print_bytes("encoder weights, packed", limn_encoder_weight_bytes(encoder));
    print_bytes("encoder state, each worker", limn_encoder_state_bytes(encoder));
    const limn_status status = print_tags(f->tensors, limn_encoder_dim(encoder), err);
    limn_encoder_close(&encoder);
    return status;
}

/* With the model's own guidance, each image has a second state, which sees none. */
static size_t decoder_state_bytes(const limn_model_file *f, const limn_decoder *decoder,
                                  uint32_t beam)
{
    const uint32_t max_steps = f->config.max_steps;
    const size_t first = limn_decoder_state_bytes(decoder, beam, max_steps);
    if (limn_model_config_guidance(&f->config) == 1) return first;
    return first + limn_decoder_joined_bytes(decoder, beam, max_steps);
}

static limn_status plan_decoder(const limn_model_file *f, uint32_t beam, limn_error *err)
{
    const limn_beam_settings search = { .beam_size = beam,
                                        .n_best = 1,
                                        .max_steps = f->config.max_steps,
                                        .n_tokens = f->config.decoder.n_tokens };
    limn_decoder *decoder = NULL;
    limn_kernels kernels;
    limn_arena arena;
    if (!f->config.has_decoder) return LIMN_OK;
    limn_kernels_init(&kernels, limn_cpu_best());
    LIMN_TRY(limn_decoder_open(&decoder, f->tensors, &f->config.decoder, &kernels, err));
    print_bytes("decoder weights, packed", limn_decoder_weight_bytes(decoder));
    print_bytes("decoder state, each worker", decoder_state_bytes(f, decoder, beam));
    limn_arena_init_counting(&arena);
    limn_beam_plan(&arena, &search);
    print_bytes("beam search, each worker", arena.high);
    limn_decoder_close(&decoder);
    return LIMN_OK;
}

/* ---- the tool ----------------------------------------------------------------------------- */

static limn_status report(const limn_model_file *f, const settings *s, limn_error *err)
{
    limn_origin_print(f->tensors);
    print_config(&f->config);
    print_vocabulary(f->vocab);
    print_notes(f->tensors);
    print_tensors(f->tensors, !s->has_no_tensors);
    LIMN_TRY(print_frequencies(f->tensors, err));
    LIMN_TRY(plan_encoder(f, err));
    return plan_decoder(f, s->beam, err);
}

static limn_status print_sha256(const char *path, limn_error *err)
{
    char text[LIMN_SHA256_TEXT];
    LIMN_TRY(limn_file_sha256(text, path, err));
    printf("sha256: %s\n", text);
    return LIMN_OK;
}

static int run(const settings *s, const char *path)
{
    limn_model_file f;
    limn_error err = { 0 }, err_sha = { 0 };
    if (limn_model_file_open_header(&f, path, &err) != LIMN_OK) {
        limn_message_error("%s", err.text);
        return LIMN_EXIT_NOTHING;
    }
    printf("model: %s\n", path);
    const limn_status status = report(&f, s, &err);
    limn_model_file_close(&f);
    limn_status read = print_sha256(path, &err_sha);
    if (read == LIMN_OK) read = limn_standard_output_flush(&err_sha);
    if (read != LIMN_OK) limn_message_error("%s", err_sha.text);
    if (status == LIMN_OK) return read == LIMN_OK ? LIMN_EXIT_OK : LIMN_EXIT_NOTHING;
    limn_message_error("%s: %s", path, err.text);
    return LIMN_EXIT_NOTHING;
}

int main(int argc, char **argv)
{
    settings s = { .beam = 3 };
    limn_cli_operands models;
    int code;
    limn_standard_streams_secure();
    if (!limn_cli_parse(&models, &s, &tool, argc, argv, &code)) return code;
    code = run(&s, models.items[0]);
    limn_cli_finish(&s, &tool);
    return code;
}

/* Decoders of every layout against PyTorch's numbers (fixtures of
 * tests/fixtures/make_decoder_layouts.py): logits of teacher-forced tokens and attention; the same
 * bits for every CPU level, number of threads and set of other rows; what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decoder/decoder.h"
#include "models/decoder_config.h"
#include "tests/fixtures/kernels_of.h"

enum { MAX_STEPS = 8, N_TOKENS = 24, MAX_SLOTS = 4 };

static const char *const names[] = { "limn",   "blip",        "gpt2",         "git",
                                     "virtex", "mixed_cross", "mixed_prefix", "mixed_wide" };
enum { N_FILES = sizeof names / sizeof *names };

typedef struct fixture {
    limn_safetensors *file;
    limn_decoder_config config;
    float *features, *logits, *attention; /* attention: NULL where the file has none */
    uint32_t tokens[MAX_STEPS];
    limn_tag_slot slots[MAX_SLOTS];
} fixture;

/* A tensor of the file as f32; the caller frees. NULL where there is none. */
static float *floats(const limn_safetensors *file, const char *name)
{
    const limn_tensor *t = limn_safetensors_find(file, name);
    float *out = t ? malloc(t->size) : NULL;
    if (t) limn_tensor_to_f32(out, t);
    return out;
}

static limn_status read_config(limn_decoder_config *out, const char *text, limn_error *err)
{
    json_t *document = NULL;
    limn_status s = limn_json_parse(&document, text, strlen(text), err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        s = limn_decoder_config_read(out, &root, err);
    }
    json_decref(document);
    return s;
}

static fixture open_fixture(const char *name)
{
    fixture f = { .file = NULL };
    char path[512];
    limn_error err = { 0 };
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/data/layouts/%s.safetensors", root ? root : ".", name);
    if (limn_safetensors_open(&f.file, path, &err) ||
        read_config(&f.config, limn_safetensors_metadata(f.file, "limn.decoder"), &err))
        fail_msg("%s: %s", name, err.text);
    f.config.n_tokens = N_TOKENS;
    f.features = floats(f.file, "features");
    f.logits = floats(f.file, "logits");
    f.attention = floats(f.file, "attention");
    float *tokens = floats(f.file, "tokens"), *slots = floats(f.file, "slots");
    for (size_t i = 0; i < MAX_STEPS; i++) f.tokens[i] = (uint32_t)tokens[i];
    for (size_t i = 0; i < f.config.n_tag_slots; i++)
        f.slots[i] = (limn_tag_slot){ (uint32_t)slots[2 * i], slots[2 * i + 1] };
    free(tokens);
    free(slots);
    return f;
}

static void close_fixture(fixture *f)
{
    limn_safetensors_close(&f->file);
    free(f->features);
    free(f->logits);
    free(f->attention);
}

typedef struct results {
    float logits[MAX_STEPS][N_TOKENS];
    float *attention; /* [MAX_STEPS, max_rows, attention_dim] */
    size_t attention_dim;
} results;

/* Runs the fixture's tokens as row `row` of n_rows; the other rows follow paths of their own. */
static results run(const fixture *f, limn_cpu_level level, limn_pool *pool, size_t n_rows,
                   size_t row)
{
    enum { MAX_ROWS = 4 };
    limn_decoder *d;
    limn_decoder_state *s;
    results r = { .attention = NULL };
    limn_error err = { 0 };
    if (limn_decoder_open(&d, f->file, &f->config, kernels_of(level), &err) != LIMN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(limn_decoder_state_create(&s, d, MAX_ROWS, MAX_STEPS, NULL), LIMN_OK);
    r.attention_dim = limn_decoder_attention_dim(d);
    r.attention = calloc(MAX_STEPS * MAX_ROWS * r.attention_dim, sizeof *r.attention);
    float *kept = calloc(MAX_STEPS * MAX_ROWS * r.attention_dim, sizeof *kept);
    limn_decoder_keep_attention(s, kept);
    limn_decoder_begin(s, pool, f->features, f->slots);
    for (size_t i = 0; i < MAX_STEPS; i++) {
        uint32_t parents[MAX_ROWS], tokens[MAX_ROWS];
        float logits[MAX_ROWS][N_TOKENS];
        for (size_t k = 0; k < n_rows; k++) {
            parents[k] = (uint32_t)(i == 0 || k == row ? k : (k + 1) % n_rows);
            tokens[k] = k == row ? f->tokens[i] : (uint32_t)((3 * k + i) % N_TOKENS);
        }
        limn_decoder_step(s, pool, n_rows, parents, tokens, logits[0]);
        memcpy(r.logits[i], logits[row], sizeof r.logits[i]);
        memcpy(r.attention + i * r.attention_dim, limn_decoder_attention(s, i, row),
               r.attention_dim * sizeof *kept);
    }
    free(kept);
    limn_decoder_state_destroy(&s);
    limn_decoder_close(&d);
    return r;
}

static double worst_difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= worst)) worst = difference; /* NaN too */
    }
    return worst;
}

static void test_logits_and_attention_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        fixture f = open_fixture(names[i]);
        results r = run(&f, limn_cpu_best(), NULL, 1, 0);
        const double worst = worst_difference(r.logits[0], f.logits, MAX_STEPS * N_TOKENS);
        if (!(worst <= 1e-5)) fail_msg("%s: logits differ by %g", names[i], worst);
        const double looks =
            f.attention ? worst_difference(r.attention, f.attention, MAX_STEPS * r.attention_dim)
                        : 0;
        if (!(looks <= 1e-5)) fail_msg("%s: attention differs by %g", names[i], looks);
        free(r.attention);
        close_fixture(&f);
    }
}

static void test_levels_threads_and_company_change_no_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        fixture f = open_fixture(names[i]);
        results alone = run(&f, LIMN_CPU_C, NULL, 1, 0);
        for (int level = LIMN_CPU_C; level <= (int)limn_cpu_best(); level++)
            for (size_t row = 0; row < 3; row++) {
                limn_pool *pool = NULL;
                assert_int_equal(limn_pool_create(&pool, 1 + row, NULL), LIMN_OK);
                results r = run(&f, (limn_cpu_level)level, pool, 3, row);
                assert_memory_equal(r.logits, alone.logits, sizeof r.logits);
                assert_memory_equal(r.attention, alone.attention,
                                    MAX_STEPS * r.attention_dim * sizeof *r.attention);
                free(r.attention);
                limn_pool_destroy(&pool);
            }
        free(alone.attention);
        close_fixture(&f);
    }
}

/* A memory with so many rows that threads share the heads that look at it, in layers with
 * cross-attention and with a prefix. */
static void test_threads_that_share_heads_change_no_bits(void **state)
{
    enum { N_POSITIONS = 150 };
    static const char *const long_names[] = { "blip", "git" };
    (void)state;
    for (size_t i = 0; i < sizeof long_names / sizeof *long_names; i++) {
        fixture f = open_fixture(long_names[i]);
        const size_t n = N_POSITIONS * f.config.memory_dim;
        float *few = f.features, *many = malloc(n * sizeof *many);
        for (size_t k = 0; k < n; k++) many[k] = sinf((float)k);
        f.features = many;
        f.config.n_memory_positions = N_POSITIONS;
        results alone = run(&f, limn_cpu_best(), NULL, 3, 1);
        for (uint32_t n_threads = 2; n_threads < 8; n_threads += 5) {
            limn_pool *pool;
            assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
            results r = run(&f, limn_cpu_best(), pool, 3, 1);
            assert_memory_equal(r.logits, alone.logits, sizeof r.logits);
            assert_memory_equal(r.attention, alone.attention,
                                MAX_STEPS * r.attention_dim * sizeof *r.attention);
            free(r.attention);
            limn_pool_destroy(&pool);
        }
        free(alone.attention);
        free(many);
        f.features = few;
        close_fixture(&f);
    }
}

/* Changing any field of the layout changes the numbers or requires other tensors: none is
 * ignored. */
static void test_no_field_is_ignored(void **state)
{
    static const struct {
        const char *file, *change;
    } cases[] = {
        { "blip", "\"norm\": \"before\"" },
        { "blip", "\"memory\": \"prefix\"" },
        { "blip", "\"activation\": \"gelu_tanh\"" },
        { "blip", "\"head_activation\": \"gelu_tanh\"" },
        { "blip", "\"eps\": 1e-3" },
        { "blip", "\"embedding_eps\": 1e-3" },
        { "git", "\"memory_eps\": 1e-3" },
        { "blip", "\"head_eps\": 1e-3" },
        { "blip", "\"embedding_scale\": true" },
        { "blip", "\"embedding_norm\": false" },
        { "blip", "\"first_position\": 1" },
        { "virtex", "\"zero_token\": null" },
        { "virtex", "\"zero_token\": 7" },
        { "git", "\"memory_projection\": false" },
        { "git", "\"memory_positions\": true" },
        { "git", "\"memory_norm\": false" },
        { "blip", "\"biases\": false" },
        { "gpt2", "\"final_norm\": false" },
        { "blip", "\"head_transform\": false" },
        { "git", "\"tied\": true" },
        { "blip", "\"output_bias\": false" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = open_fixture(cases[i].file);
        char text[400];
        limn_decoder_config changed = f.config;
        limn_decoder *d = NULL;
        limn_error err = { 0 };
        snprintf(text, sizeof text,
                 "{\"layers\": 2, \"dim\": 16, \"heads\": 2, \"feed_forward\": 32, "
                 "\"max_positions\": 10, \"memory_positions\": 5, \"memory_dim\": 24, "
                 "\"layout\": {\"name\": \"%s\", %s}}",
                 cases[i].file, cases[i].change);
        if (read_config(&changed, text, &err) != LIMN_OK) fail_msg("%s", err.text);
        f.config.layout = changed.layout;
        if (limn_decoder_open(&d, f.file, &f.config, kernels_of(LIMN_CPU_C), NULL) == LIMN_OK) {
            limn_decoder_close(&d);
            results r = run(&f, limn_cpu_best(), NULL, 1, 0);
            if (!(worst_difference(r.logits[0], f.logits, MAX_STEPS * N_TOKENS) > 1e-4))
                fail_msg("%s: %s changes nothing", cases[i].file, cases[i].change);
            free(r.attention);
        }
        close_fixture(&f);
    }
}

static void test_configurations_are_written_as_they_were_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        fixture f = open_fixture(names[i]);
        limn_decoder_config again;
        json_t *object = limn_decoder_config_write(&f.config);
        char *text = json_dumps(object, JSON_REAL_PRECISION(9));
        assert_int_equal(read_config(&again, text, NULL), LIMN_OK);
        assert_true(limn_decoder_layouts_equal(&again.layout, &f.config.layout));
        assert_string_equal(again.layout.name, f.config.layout.name);
        assert_int_equal(again.n_tag_slots, f.config.n_tag_slots);
        free(text);
        json_decref(object);
        close_fixture(&f);
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *layout, *error;
        limn_status status;
    } cases[] = {
        { "\"bart\"", "decoder layout \"bart\" is not known: limn, blip, gpt2, git, virtex are",
          LIMN_E_UNSUPPORTED },
        { "{\"name\": \"bart\"}", "decoder layout \"bart\" is not known", LIMN_E_UNSUPPORTED },
        { "{\"tied\": false}", "layout.name", LIMN_E_FORMAT },
        { "{\"name\": \"blip\", \"twice\": 1}", "\"twice\" is not a field of a layout",
          LIMN_E_FORMAT },
        { "{\"name\": \"blip\", \"activation\": \"swish\"}",
          "layout.activation: \"swish\" is not known: none, relu6, gelu, relu, gelu_tanh, "
          "quick_gelu are",
          LIMN_E_UNSUPPORTED },
        { "{\"name\": \"blip\", \"eps\": 1}", "layout.eps", LIMN_E_FORMAT },
        { "{\"name\": \"blip\", \"tied\": 1}", "layout.tied", LIMN_E_FORMAT },
        { "{\"name\": \"blip\", \"first_position\": 17}", "layout.first_position", LIMN_E_FORMAT },
        { "{\"name\": \"blip\", \"zero_token\": -1}", "layout.zero_token", LIMN_E_FORMAT },
        { "7", "layout", LIMN_E_FORMAT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_decoder_config c;
        limn_error err = { 0 };
        char text[400];
        snprintf(text, sizeof text,
                 "{\"layers\": 2, \"dim\": 16, \"heads\": 2, \"feed_forward\": 32, "
                 "\"max_positions\": 10, \"memory_positions\": 5, \"memory_dim\": 24, "
                 "\"layout\": %s}",
                 cases[i].layout);
        assert_int_equal(read_config(&c, text, &err), cases[i].status);
        if (!strstr(err.text, cases[i].error))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].error);
    }
}

static void test_a_prefix_has_the_width_of_the_decoder(void **state)
{
    fixture f = open_fixture("git");
    limn_decoder *d = NULL;
    limn_error err = { 0 };
    (void)state;
    f.config.layout.has_memory_projection = false;
    assert_int_equal(limn_decoder_open(&d, f.file, &f.config, kernels_of(LIMN_CPU_C), &err),
                     LIMN_E_LIMIT);
    assert_string_equal(err.text,
                        "decoder memory_dim 24: a prefix without a projection has dim 16");
    f.config.layout = (limn_decoder_layout){ .name = NULL };
    assert_int_equal(limn_decoder_open(&d, f.file, &f.config, kernels_of(LIMN_CPU_C), &err),
                     LIMN_E_ARG);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits_and_attention_are_pytorchs),
        cmocka_unit_test(test_levels_threads_and_company_change_no_bits),
        cmocka_unit_test(test_threads_that_share_heads_change_no_bits),
        cmocka_unit_test(test_no_field_is_ignored),
        cmocka_unit_test(test_configurations_are_written_as_they_were_read),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_a_prefix_has_the_width_of_the_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

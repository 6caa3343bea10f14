/* The decoder on random weights: against a plain transformer in double precision, the same bits for
 * every CPU level, number of threads and set of other rows, errors, and no allocation in a step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/decoder_reference.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/wrapped_allocations.h"
#include "tests/fixtures/kernels_of.h"

enum { N_TOKENS = 24, MAX_ROWS = 5, N_STEPS = 10 };

/* Wide enough that products are split among threads; odd sizes elsewhere. */
static const limn_decoder_config wide = {
    .n_layers = 3,
    .dim = 48,
    .n_heads = 2,
    .feed_forward_dim = 1024,
    .max_positions = 20,
    .n_tokens = N_TOKENS,
    .n_memory_positions = 5,
    .memory_dim = 19,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
};

/* The same with tags. */
static const limn_decoder_config slotted = {
    .n_layers = 3,
    .dim = 48,
    .n_heads = 2,
    .feed_forward_dim = 1024,
    .max_positions = 20,
    .n_tokens = N_TOKENS,
    .n_memory_positions = 5,
    .memory_dim = 19,
    .layout = LIMN_LAYOUT_LIMN,
    .specials = LIMN_SPECIALS_OWN,
    .n_tag_slots = 3,
    .n_tags = 7,
};
static const limn_tag_slot slots[] = { { 4, 0.9f }, { 0, 0.5f }, { 6, 0.0625f } };

typedef struct fixture {
    limn_safetensors *file;
    limn_decoder_config config;
    limn_decoder *decoder;
    limn_decoder_state *state;
    float *features;  /* [n_memory_positions, memory_dim] */
    float *attention; /* [N_STEPS, MAX_ROWS, attention_dim], kept while not NULL */
} fixture;

static limn_safetensors *open_file(const limn_decoder_config *config, limn_tensor_dtype dtype)
{
    const toy_model_settings settings = { .seed = 5, .dtype = dtype, .decoder = config };
    const char *path = temp_path("toy.safetensors");
    limn_safetensors *file = NULL;
    limn_error err = { 0 };
    if (toy_model_write(path, &settings, &err) || limn_safetensors_open(&file, path, &err))
        fail_msg("%s", err.text);
    return file;
}

/* `config` NULL: that of the toy model. */
static fixture open_fixture(const limn_decoder_config *config, limn_tensor_dtype dtype,
                            limn_cpu_level level)
{
    fixture f = { .file = open_file(config, dtype) };
    limn_rng rng = limn_rng_stream(9, "features", 8);
    f.config = config ? *config : toy_model_config(false).decoder;
    assert_int_equal(limn_decoder_open(&f.decoder, f.file, &f.config, kernels_of(level), NULL),
                     LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&f.state, f.decoder, MAX_ROWS, N_STEPS, NULL),
                     LIMN_OK);
    const size_t n = (size_t)f.config.n_memory_positions * f.config.memory_dim;
    f.features = malloc(n * sizeof *f.features);
    for (size_t i = 0; i < n; i++) f.features[i] = (float)(6 * limn_rng_uniform(&rng));
    return f;
}

static void close_fixture(fixture *f)
{
    limn_decoder_state_destroy(&f->state);
    limn_decoder_close(&f->decoder);
    limn_safetensors_close(&f->file);
    free(f->features);
    free(f->attention);
}

static void keep_attention(fixture *f)
{
    f->attention = calloc((size_t)N_STEPS * MAX_ROWS * limn_decoder_attention_dim(f->decoder),
                          sizeof *f->attention);
    limn_decoder_keep_attention(f->state, f->attention);
}

/* ---- hypotheses that branch at random ----------------------------------------------------- */

typedef struct path {
    uint32_t tokens[N_STEPS];
} path;

typedef struct script {
    size_t n_rows[N_STEPS];
    uint32_t parents[N_STEPS][MAX_ROWS], tokens[N_STEPS][MAX_ROWS];
    path paths[N_STEPS][MAX_ROWS]; /* the tokens of each row so far */
} script;

static script make_script(uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "script", 6);
    script s = { .n_rows = { 0 } };
    for (size_t i = 0; i < N_STEPS; i++) {
        s.n_rows[i] = 1 + limn_rng_below(&rng, MAX_ROWS);
        for (size_t r = 0; r < s.n_rows[i]; r++) {
            s.parents[i][r] = i > 0 ? (uint32_t)limn_rng_below(&rng, s.n_rows[i - 1]) : 77;
            s.tokens[i][r] = (uint32_t)limn_rng_below(&rng, N_TOKENS);
            if (i > 0) s.paths[i][r] = s.paths[i - 1][s.parents[i][r]];
            s.paths[i][r].tokens[i] = s.tokens[i][r];
        }
    }
    return s;
}

typedef struct results {
    float logits[N_STEPS][MAX_ROWS][N_TOKENS];
} results;

static results *run_script(fixture *f, limn_pool *pool, const script *s)
{
    results *r = calloc(1, sizeof *r);
    limn_decoder_begin(f->state, pool, f->features, slots);
    for (size_t i = 0; i < N_STEPS; i++)
        limn_decoder_step(f->state, pool, s->n_rows[i], s->parents[i], s->tokens[i],
                          r->logits[i][0]);
    return r;
}

/* The first n_steps of a path with no other rows: logits [N_TOKENS] after the last. */
static void run_alone(fixture *f, const path *p, size_t n_steps, float *logits)
{
    const uint32_t parent = 0;
    limn_decoder_begin(f->state, NULL, f->features, slots);
    for (size_t i = 0; i < n_steps; i++)
        limn_decoder_step(f->state, NULL, 1, &parent, &p->tokens[i], logits);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void check_against_reference(const limn_decoder_config *config, limn_tensor_dtype dtype)
{
    fixture f = open_fixture(config, dtype, limn_cpu_best());
    const script s = make_script(1);
    results *r = run_script(&f, NULL, &s);
    double worst = 0, largest = 0, expected[N_STEPS][N_TOKENS];
    for (size_t row = 0; row < s.n_rows[N_STEPS - 1]; row++) {
        decoder_reference_run(expected[0], NULL, f.file, &f.config, f.features, slots,
                              s.paths[N_STEPS - 1][row].tokens, N_STEPS);
        for (size_t t = 0; t < N_TOKENS; t++) {
            const double e = expected[N_STEPS - 1][t];
            worst = fmax(worst, fabs((double)r->logits[N_STEPS - 1][row][t] - e));
            largest = fmax(largest, fabs(e));
        }
    }
    assert_true(largest > 0.5);
    assert_true(worst <= 1e-4);
    free(r);
    close_fixture(&f);
}

static void test_logits_are_those_of_a_plain_transformer(void **state)
{
    (void)state;
    check_against_reference(NULL, LIMN_TENSOR_F32);
    check_against_reference(NULL, LIMN_TENSOR_F16);
    check_against_reference(&wide, LIMN_TENSOR_F32);
    check_against_reference(&wide, LIMN_TENSOR_F16);
    check_against_reference(&slotted, LIMN_TENSOR_F32);
    check_against_reference(&slotted, LIMN_TENSOR_F16);
}

/* Where every token on the paths of the last step's rows looked. */
static void test_attention_is_that_of_a_plain_transformer(void **state)
{
    static const limn_decoder_config *const configs[] = { NULL, &wide, &slotted };
    const script s = make_script(1);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fixture f = open_fixture(configs[i], LIMN_TENSOR_F16, limn_cpu_best());
        const size_t dim = limn_decoder_attention_dim(f.decoder);
        double *looks = malloc(N_STEPS * dim * sizeof *looks), logits[N_STEPS][N_TOKENS];
        double worst = 0;
        keep_attention(&f);
        free(run_script(&f, NULL, &s));
        for (size_t row = 0; row < s.n_rows[N_STEPS - 1]; row++) {
            decoder_reference_run(logits[0], looks, f.file, &f.config, f.features, slots,
                                  s.paths[N_STEPS - 1][row].tokens, N_STEPS);
            for (size_t step = 0; step < N_STEPS; step++) {
                const float *got = limn_decoder_attention(
                    f.state, step, limn_decoder_past_row(f.state, step, row));
                for (size_t p = 0; p < dim; p++)
                    worst = fmax(worst, fabs((double)got[p] - looks[step * dim + p]));
            }
        }
        assert_true(worst <= 1e-5);
        free(looks);
        close_fixture(&f);
    }
}

/* The sum of a caption's attention to the image over heads and layers: all of it, or what the tag
 * slots leave. */
static void check_attention_sums(const limn_decoder_config *config, double low, double high)
{
    fixture f = open_fixture(config, LIMN_TENSOR_F16, limn_cpu_best());
    const script s = make_script(2);
    const size_t n = f.config.n_memory_positions, dim = limn_decoder_attention_dim(f.decoder);
    results *without = run_script(&f, NULL, &s);
    assert_int_equal(dim, 3 * 2 * n);
    assert_null(limn_decoder_attention(f.state, 0, 0));
    keep_attention(&f);
    results *with = run_script(&f, NULL, &s);
    assert_memory_equal(with, without, sizeof *with);
    for (size_t step = 0; step < N_STEPS; step++)
        for (size_t row = 0; row < s.n_rows[step]; row++)
            for (size_t head = 0; head < dim / n; head++) {
                const float *look = limn_decoder_attention(f.state, step, row) + head * n;
                double sum = 0;
                for (size_t p = 0; p < n; p++) sum += (double)look[p];
                assert_true(sum >= low && sum <= high);
            }
    free(with);
    free(without);
    close_fixture(&f);
}

static void test_attention_sums_to_one_and_changes_no_logits(void **state)
{
    (void)state;
    check_attention_sums(&wide, 1 - 1e-6, 1 + 1e-6);
    check_attention_sums(&slotted, 0.1, 1 - 1e-3);
}

/* The attention that is kept leaves out class positions; nothing else changes. */
static void test_attention_to_class_positions_is_left_out(void **state)
{
    limn_decoder_config config = wide;
    fixture all = open_fixture(&config, LIMN_TENSOR_F32, limn_cpu_best());
    const script s = make_script(2);
    const size_t n = config.n_memory_positions, n_left = n - 2, n_heads = 3 * 2;
    (void)state;
    config.n_class_positions = 2;
    fixture places = open_fixture(&config, LIMN_TENSOR_F32, limn_cpu_best());
    assert_int_equal(limn_decoder_attention_dim(places.decoder), n_heads * n_left);
    keep_attention(&all);
    keep_attention(&places);
    results *of_all = run_script(&all, NULL, &s), *of_places = run_script(&places, NULL, &s);
    assert_memory_equal(of_all, of_places, sizeof *of_all);
    for (size_t step = 0; step < N_STEPS; step++)
        for (size_t row = 0; row < s.n_rows[step]; row++)
            for (size_t head = 0; head < n_heads; head++)
                assert_memory_equal(limn_decoder_attention(places.state, step, row) + head * n_left,
                                    limn_decoder_attention(all.state, step, row) + head * n + 2,
                                    n_left * sizeof(float));
    free(of_all);
    free(of_places);
    close_fixture(&all);
    close_fixture(&places);
}

/* Whether features are zero or not, passing no tags is the same as passing those of no image. */
static void test_no_tags_are_the_first_ones_with_probability_zero(void **state)
{
    static const limn_tag_slot unconditional[] = { { 0, 0 }, { 1, 0 }, { 2, 0 } };
    static const uint32_t parent = 0, token = 1;
    fixture f = open_fixture(&slotted, LIMN_TENSOR_F32, limn_cpu_best());
    float logits[3][N_TOKENS];
    const limn_tag_slot *const told[] = { NULL, unconditional, slots };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        limn_decoder_begin(f.state, NULL, f.features, told[i]);
        limn_decoder_step(f.state, NULL, 1, &parent, &token, logits[i]);
    }
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    assert_memory_not_equal(logits[0], logits[2], sizeof logits[0]);
    close_fixture(&f);
}

/* A path among other rows, and the same tokens alone, give the same bits. */
static void test_attention_of_a_row_does_not_depend_on_its_company(void **state)
{
    fixture f = open_fixture(NULL, LIMN_TENSOR_F16, limn_cpu_best());
    fixture alone = open_fixture(NULL, LIMN_TENSOR_F16, LIMN_CPU_C);
    const size_t size = limn_decoder_attention_dim(f.decoder) * sizeof(float), last = N_STEPS - 1;
    (void)state;
    keep_attention(&f);
    keep_attention(&alone);
    for (uint64_t seed = 0; seed < 8; seed++) {
        const script s = make_script(seed);
        float logits[N_TOKENS];
        free(run_script(&f, NULL, &s));
        for (size_t row = 0; row < s.n_rows[last]; row++) {
            run_alone(&alone, &s.paths[last][row], N_STEPS, logits);
            for (size_t step = 0; step < N_STEPS; step++) {
                const uint32_t past = limn_decoder_past_row(f.state, step, row);
                assert_memory_equal(limn_decoder_attention(f.state, step, past),
                                    limn_decoder_attention(alone.state, step, 0), size);
            }
        }
    }
    close_fixture(&alone);
    close_fixture(&f);
}

static void test_a_row_does_not_depend_on_its_company(void **state)
{
    fixture f = open_fixture(NULL, LIMN_TENSOR_F16, limn_cpu_best());
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        const script s = make_script(seed);
        results *r = run_script(&f, NULL, &s);
        for (size_t i = 0; i < N_STEPS; i++)
            for (size_t row = 0; row < s.n_rows[i]; row++) {
                float alone[N_TOKENS];
                run_alone(&f, &s.paths[i][row], i + 1, alone);
                assert_memory_equal(r->logits[i][row], alone, sizeof alone);
            }
        free(r);
    }
    close_fixture(&f);
}

static void test_levels_and_threads_give_the_same_bits(void **state)
{
    static const limn_tensor_dtype dtypes[] = { LIMN_TENSOR_F32, LIMN_TENSOR_F16 };
    const script s = make_script(3);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fixture plain = open_fixture(&slotted, dtypes[i], LIMN_CPU_C);
        results *expected = run_script(&plain, NULL, &s);
        for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++) {
            if (!limn_cpu_level_runs((limn_cpu_level)level)) continue;
            fixture f = open_fixture(&slotted, dtypes[i], (limn_cpu_level)level);
            for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
                limn_pool *pool;
                assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
                results *r = run_script(&f, pool, &s);
                assert_memory_equal(r, expected, sizeof *r);
                free(r);
                limn_pool_destroy(&pool);
            }
            close_fixture(&f);
        }
        free(expected);
        close_fixture(&plain);
    }
}

static void test_an_image_allocates_nothing_and_leaves_no_trace(void **state)
{
    fixture f = open_fixture(NULL, LIMN_TENSOR_F32, limn_cpu_best());
    const script s = make_script(4), other = make_script(5);
    results *first = run_script(&f, NULL, &s);
    (void)state;
    free(run_script(&f, NULL, &other));
    const size_t n_before = n_allocations;
    results *again = run_script(&f, NULL, &s);
    assert_int_equal(n_allocations, n_before + 1); /* the results themselves */
    assert_memory_equal(again, first, sizeof *first);
    free(first);
    free(again);
    close_fixture(&f);
}

static void test_what_a_state_cannot_be(void **state)
{
    static const struct {
        size_t max_rows, max_steps;
        const char *says;
    } cases[] = {
        { 0, 1, "0 hypotheses at once are not in 1 … 256" },
        { 257, 1, "257 hypotheses at once are not in 1 … 256" },
        { 1, 0, "0 steps are not in 1 … 20" },
        { 1, 21, "21 steps are not in 1 … 20" },
    };
    fixture f = open_fixture(&wide, LIMN_TENSOR_F32, LIMN_CPU_C);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_decoder_state *s = NULL;
        limn_error err = { 0 };
        assert_int_equal(
            limn_decoder_state_create(&s, f.decoder, cases[i].max_rows, cases[i].max_steps, &err),
            LIMN_E_ARG);
        assert_null(s);
        assert_string_equal(err.text, cases[i].says);
    }
    assert_true(limn_decoder_state_bytes(f.decoder, 2, 3) <
                limn_decoder_state_bytes(f.decoder, 3, 3));
    close_fixture(&f);
}

static void test_configurations_that_the_file_does_not_have(void **state)
{
    static const struct {
        size_t offset;
        uint32_t value;
        limn_status status;
        const char *says;
    } cases[] = {
        { offsetof(limn_decoder_config, n_layers), 0, LIMN_E_LIMIT, "layers" },
        { offsetof(limn_decoder_config, n_layers), 4, LIMN_E_FORMAT, "decoder.layers.3." },
        { offsetof(limn_decoder_config, dim), 49, LIMN_E_LIMIT, "dim" },
        { offsetof(limn_decoder_config, dim), 64, LIMN_E_FORMAT, "decoder." },
        { offsetof(limn_decoder_config, n_heads), 4, LIMN_E_LIMIT, "heads" },
        { offsetof(limn_decoder_config, feed_forward_dim), 1030, LIMN_E_LIMIT, "feed_forward" },
        { offsetof(limn_decoder_config, feed_forward_dim), 1040, LIMN_E_FORMAT, "feed_forward.up" },
        { offsetof(limn_decoder_config, max_positions), 1025, LIMN_E_LIMIT, "max_positions" },
        { offsetof(limn_decoder_config, max_positions), 21, LIMN_E_FORMAT, "position_embedding" },
        { offsetof(limn_decoder_config, n_tokens), 4, LIMN_E_LIMIT, "vocabulary" },
        { offsetof(limn_decoder_config, n_tokens), 25, LIMN_E_FORMAT, "token_embedding" },
        { offsetof(limn_decoder_config, n_memory_positions), 4097, LIMN_E_LIMIT, "positions" },
        { offsetof(limn_decoder_config, n_memory_positions), 6, LIMN_E_FORMAT, "memory." },
        { offsetof(limn_decoder_config, memory_dim), 20, LIMN_E_FORMAT, "memory.project" },
        { offsetof(limn_decoder_config, n_tag_slots), 33, LIMN_E_LIMIT,
          "decoder tag_slots: 33 is not in 0 … 32" },
        { offsetof(limn_decoder_config, n_tag_slots), 8, LIMN_E_LIMIT,
          "decoder tags: 7 is not in 8 … 10000" },
        { offsetof(limn_decoder_config, n_tag_slots), 0, LIMN_E_LIMIT,
          "decoder tags: 7 is not in 0 … 0" },
        { offsetof(limn_decoder_config, n_tags), 10001, LIMN_E_LIMIT, "decoder tags: 10001" },
        { offsetof(limn_decoder_config, n_tags), 8, LIMN_E_FORMAT, "decoder.tag_embedding" },
    };
    limn_safetensors *file = open_file(&slotted, LIMN_TENSOR_F32);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        limn_decoder_config config = slotted;
        limn_decoder *d;
        limn_error err = { 0 };
        memcpy((char *)&config + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        const limn_status status =
            limn_decoder_open(&d, file, &config, kernels_of(LIMN_CPU_C), &err);
        if (status != cases[i].status || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: status %d, \"%s\" lacks \"%s\"", i, status, err.text,
                     cases[i].says);
        assert_null(d);
    }
    limn_safetensors_close(&file);
}

static limn_status open_and_create(const limn_safetensors *file)
{
    limn_decoder *d;
    limn_decoder_state *s = NULL;
    limn_status status = limn_decoder_open(&d, file, &slotted, kernels_of(LIMN_CPU_C), NULL);
    if (status == LIMN_OK) status = limn_decoder_state_create(&s, d, MAX_ROWS, N_STEPS, NULL);
    limn_decoder_state_destroy(&s);
    limn_decoder_close(&d);
    return status;
}

static void test_memory_that_ends_anywhere_is_an_error(void **state)
{
    limn_safetensors *file = open_file(&slotted, LIMN_TENSOR_F32);
    (void)state;
    const size_t n_before = n_allocations;
    assert_int_equal(open_and_create(file), LIMN_OK);
    const size_t n_needed = n_allocations - n_before;
    for (size_t n = 0; n < n_needed; n++) {
        n_until_failure = n;
        const limn_status status = open_and_create(file);
        n_until_failure = SIZE_MAX;
        assert_int_equal(status, LIMN_E_NOMEM);
    }
    limn_safetensors_close(&file);
}

static void test_new_weights_under_old_states(void **state)
{
    limn_safetensors *other = open_file(&wide, LIMN_TENSOR_F32);
    fixture f = open_fixture(&wide, LIMN_TENSOR_F16, limn_cpu_best());
    fixture expected = open_fixture(&wide, LIMN_TENSOR_F32, limn_cpu_best());
    const script s = make_script(6);
    (void)state;
    n_until_failure = 0;
    assert_int_equal(limn_decoder_reload(f.decoder, other, NULL), LIMN_E_NOMEM);
    n_until_failure = SIZE_MAX;
    results *old = run_script(&f, NULL, &s), *wanted = run_script(&expected, NULL, &s);
    assert_memory_not_equal(old, wanted, sizeof *old);
    assert_int_equal(limn_decoder_reload(f.decoder, other, NULL), LIMN_OK);
    results *got = run_script(&f, NULL, &s);
    assert_memory_equal(got, wanted, sizeof *got);
    free(old);
    free(wanted);
    free(got);
    close_fixture(&f);
    close_fixture(&expected);
    limn_safetensors_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits_are_those_of_a_plain_transformer),
        cmocka_unit_test(test_attention_is_that_of_a_plain_transformer),
        cmocka_unit_test(test_attention_sums_to_one_and_changes_no_logits),
        cmocka_unit_test(test_attention_to_class_positions_is_left_out),
        cmocka_unit_test(test_no_tags_are_the_first_ones_with_probability_zero),
        cmocka_unit_test(test_attention_of_a_row_does_not_depend_on_its_company),
        cmocka_unit_test(test_a_row_does_not_depend_on_its_company),
        cmocka_unit_test(test_levels_and_threads_give_the_same_bits),
        cmocka_unit_test(test_an_image_allocates_nothing_and_leaves_no_trace),
        cmocka_unit_test(test_what_a_state_cannot_be),
        cmocka_unit_test(test_configurations_that_the_file_does_not_have),
        cmocka_unit_test(test_new_weights_under_old_states),
        cmocka_unit_test(test_memory_that_ends_anywhere_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

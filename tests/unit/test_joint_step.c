/* Steps of several images at once: each gets what it gets in steps of its own, bit for bit,
 * whatever step the others are at, for every layout and level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "tests/fixtures/kernels_of.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

enum { N_TOKENS = 24, MAX_ROWS = 6, N_STEPS = 8, MAX_TOGETHER = 9, N_FEATURES = 5 * 48 };

/* Wide enough that products are split among threads, and that 54 rows take the path for many
 * rows. */
static limn_decoder_config config_of(const char *layout)
{
    limn_decoder_config c = { .n_layers = 2,
                              .dim = 48,
                              .n_heads = 2,
                              .feed_forward_dim = 1024,
                              .max_positions = 20,
                              .n_tokens = N_TOKENS,
                              .n_memory_positions = 5,
                              .memory_dim = 48,
                              .specials = LIMN_SPECIALS_OWN };
    assert_int_equal(limn_decoder_layout_find(&c.layout, layout, NULL), LIMN_OK);
    return c;
}

typedef struct fixture {
    limn_safetensors *file;
    limn_decoder *decoder;
    limn_decoder_state *states[MAX_TOGETHER]; /* joined */
    limn_decoder_state *alone;
    float *attention[MAX_TOGETHER]; /* [N_STEPS, MAX_ROWS, attention_dim] */
} fixture;

static fixture open_fixture(const char *layout, limn_tensor_dtype dtype, limn_cpu_level level)
{
    const limn_decoder_config config = config_of(layout);
    const toy_model_settings settings = { .seed = 5, .dtype = dtype, .decoder = &config };
    const char *path = temp_path("toy.safetensors");
    fixture f = { .file = NULL };
    limn_error err = { 0 };
    if (toy_model_write(path, &settings, &err) || limn_safetensors_open(&f.file, path, &err) ||
        limn_decoder_open(&f.decoder, f.file, &config, kernels_of(level), &err) ||
        limn_decoder_state_create(&f.alone, f.decoder, MAX_ROWS, N_STEPS, &err) ||
        limn_decoder_state_create(&f.states[0], f.decoder, MAX_ROWS, N_STEPS, &err))
        fail_msg("%s", err.text);
    const size_t dim = limn_decoder_attention_dim(f.decoder);
    for (size_t i = 0; i < MAX_TOGETHER; i++) {
        if (i > 0)
            assert_int_equal(limn_decoder_state_join(&f.states[i], f.states[i - 1], NULL), LIMN_OK);
        f.attention[i] = calloc((size_t)N_STEPS * MAX_ROWS * dim, sizeof(float));
        if (i % 2) limn_decoder_keep_attention(f.states[i], f.attention[i]);
    }
    return f;
}

static void close_fixture(fixture *f)
{
    static const size_t order[] = { 3, 0, 8, 1, 2, 7, 6, 5, 4 }; /* any state may go first */
    for (size_t i = 0; i < MAX_TOGETHER; i++) {
        limn_decoder_state_destroy(&f->states[order[i]]);
        free(f->attention[i]);
    }
    limn_decoder_state_destroy(&f->alone);
    limn_decoder_close(&f->decoder);
    limn_safetensors_close(&f->file);
}

/* ---- images -------------------------------------------------------------------------------- */

/* The steps of an image: its features, and rows that branch at random. */
typedef struct image {
    float features[N_FEATURES];
    size_t n_rows[N_STEPS];
    uint32_t parents[N_STEPS][MAX_ROWS], tokens[N_STEPS][MAX_ROWS];
    float expected[N_STEPS][MAX_ROWS * N_TOKENS];
} image;

static void make_image(image *m, uint64_t seed)
{
    limn_rng rng = limn_rng_stream(seed, "image", 5);
    for (size_t i = 0; i < N_FEATURES; i++) m->features[i] = (float)(6 * limn_rng_uniform(&rng));
    for (size_t i = 0; i < N_STEPS; i++) {
        m->n_rows[i] = 1 + limn_rng_below(&rng, MAX_ROWS);
        for (size_t r = 0; r < m->n_rows[i]; r++) {
            m->parents[i][r] = i > 0 ? (uint32_t)limn_rng_below(&rng, m->n_rows[i - 1]) : 77;
            m->tokens[i][r] = (uint32_t)limn_rng_below(&rng, N_TOKENS);
        }
    }
}

static void run_alone(fixture *f, image *m)
{
    limn_decoder_begin(f->alone, NULL, m->features, NULL);
    for (size_t i = 0; i < N_STEPS; i++)
        limn_decoder_step(f->alone, NULL, m->n_rows[i], m->parents[i], m->tokens[i],
                          m->expected[i]);
}

/* n images together; image i begins i / 2 steps after the first, and the order in which they take
 * turns changes. */
static void check_together(fixture *f, limn_pool *pool, const image *images, size_t n)
{
    float logits[MAX_TOGETHER * MAX_ROWS * N_TOKENS];
    for (size_t step = 0; step < N_STEPS + n / 2; step++) {
        limn_decoder_turn turns[MAX_TOGETHER];
        const float *expected[MAX_TOGETHER];
        size_t n_turns = 0;
        for (size_t k = 0; k < n; k++) {
            const size_t i = step % 2 ? n - 1 - k : k, at = step - i / 2;
            const image *m = &images[i];
            if (step < i / 2 || at >= N_STEPS) continue;
            if (at == 0) limn_decoder_begin(f->states[i], pool, m->features, NULL);
            expected[n_turns] = m->expected[at];
            turns[n_turns++] =
                (limn_decoder_turn){ f->states[i], m->n_rows[at], m->parents[at], m->tokens[at] };
        }
        if (n_turns == 0) continue;
        limn_decoder_step_together(pool, turns, n_turns, logits);
        const float *got = logits;
        for (size_t t = 0; t < n_turns; got += turns[t++].n_rows * N_TOKENS)
            assert_memory_equal(got, expected[t], turns[t].n_rows * N_TOKENS * sizeof *got);
    }
}

/* What the images looked at, if that is kept. */
static void check_attention(fixture *f, image *images, size_t n)
{
    const size_t dim = limn_decoder_attention_dim(f->decoder);
    float *kept = calloc((size_t)N_STEPS * MAX_ROWS * dim, sizeof *kept);
    limn_decoder_keep_attention(f->alone, kept);
    for (size_t i = 1; i < n; i += 2) {
        run_alone(f, &images[i]);
        for (size_t step = 0; step < N_STEPS; step++)
            assert_memory_equal(limn_decoder_attention(f->states[i], step, 0),
                                limn_decoder_attention(f->alone, step, 0),
                                images[i].n_rows[step] * dim * sizeof *kept);
        assert_int_equal(limn_decoder_past_row(f->states[i], 2, 0),
                         limn_decoder_past_row(f->alone, 2, 0));
    }
    limn_decoder_keep_attention(f->alone, NULL);
    free(kept);
}

static void check_layout(const char *layout, limn_tensor_dtype dtype, limn_cpu_level level)
{
    static const size_t together[] = { 1, 3, 8, 9 };
    fixture f = open_fixture(layout, dtype, level);
    image *images = calloc(MAX_TOGETHER, sizeof *images);
    for (size_t i = 0; i < MAX_TOGETHER; i++) {
        make_image(&images[i], i);
        run_alone(&f, &images[i]);
        if (i > 0)
            assert_memory_not_equal(images[i].expected[0], images[0].expected[0],
                                    N_TOKENS * sizeof(float));
    }
    for (size_t n_threads = 1; n_threads <= 3; n_threads += 2) {
        limn_pool *pool;
        assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
        for (size_t i = 0; i < 4; i++) {
            check_together(&f, pool, images, together[i]);
            check_attention(&f, images, together[i]);
        }
        limn_pool_destroy(&pool);
    }
    free(images);
    close_fixture(&f);
}

static void test_every_layout(void **state)
{
    (void)state;
    for (const char *const *name = limn_decoder_layout_names; *name; name++) {
        check_layout(*name, LIMN_TENSOR_F32, limn_cpu_best());
        check_layout(*name, LIMN_TENSOR_F16, limn_cpu_best());
    }
}

static void test_every_level(void **state)
{
    (void)state;
    for (int level = LIMN_CPU_C; level < LIMN_N_CPU_LEVELS; level++)
        if (limn_cpu_level_runs((limn_cpu_level)level))
            check_layout("limn", LIMN_TENSOR_F16, (limn_cpu_level)level);
}

static void test_a_state_that_joins_takes_what_is_said(void **state)
{
    fixture f = open_fixture("limn", LIMN_TENSOR_F32, LIMN_CPU_C);
    (void)state;
    const size_t one = limn_decoder_state_bytes(f.decoder, MAX_ROWS, N_STEPS);
    const size_t more = limn_decoder_joined_bytes(f.decoder, MAX_ROWS, N_STEPS);
    assert_true(more > 0 && more < one);
    assert_true(limn_decoder_joined_bytes(f.decoder, MAX_ROWS + 1, N_STEPS) > more);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layout),
        cmocka_unit_test(test_every_level),
        cmocka_unit_test(test_a_state_that_joins_takes_what_is_said),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

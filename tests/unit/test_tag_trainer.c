/* A head for objects, learned from features and labels. */
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
#include "common/io/fileio.h"
#include "common/kernels/gemm.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "models/tagger.h"
#include "models/train/tag_trainer.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/kernels_of.h"

enum { DIM = 24, N_POSITIONS = 4, N = 300, N_SHOWN = 6, ROW = N_POSITIONS * DIM };

/* Images whose features tell which of the first objects are present: object c raises channel c at
 * one position. f16 features [N, N_POSITIONS, DIM], targets [N, LIMN_N_OBJECTS]. */
typedef struct data {
    uint16_t features[N * ROW];
    float pooled[N * 2 * DIM], targets[N * LIMN_N_OBJECTS];
} data;

static data *make_data(void)
{
    data *d = calloc(1, sizeof *d);
    limn_rng rng = limn_rng_stream(1, "data", 4);
    for (size_t i = 0; i < N; i++) {
        float features[ROW];
        for (size_t k = 0; k < ROW; k++) features[k] = (float)limn_rng_uniform(&rng);
        for (size_t c = 0; c < N_SHOWN; c++) {
            const bool is_shown = limn_rng_uniform(&rng) < 0.3;
            if (is_shown) features[limn_rng_below(&rng, N_POSITIONS) * DIM + c] += 2;
            d->targets[i * LIMN_N_OBJECTS + c] = is_shown;
        }
        for (size_t k = 0; k < ROW; k++) d->features[i * ROW + k] = limn_f32_to_f16(features[k]);
        limn_tag_pool(d->pooled + i * 2 * DIM, d->features + i * ROW, N_POSITIONS, DIM);
    }
    return d;
}

static limn_tag_settings settings_for_tests(void)
{
    limn_tag_settings s = limn_tag_settings_default();
    s.n_hidden = 32;
    s.n_epochs = 40;
    s.batch_size = 50; /* divides the images evenly */
    s.rate = 0.01F;
    s.dropout = 0.2F;
    return s;
}

static void train(limn_tag_heads *heads, double *loss, const data *d, const limn_tag_settings *s)
{
    *heads = (limn_tag_heads){ .n_items = 0 };
    assert_int_equal(limn_tag_head_train(heads, loss, d->pooled, d->targets, N, DIM, s, NULL),
                     LIMN_OK);
}

/* The head's output for features, run as when images are tagged. */
static void run(float *out, const limn_tag_heads *heads, const uint16_t *features)
{
    float wide[ROW];
    limn_tagger *tagger;
    limn_arena arena;
    for (size_t i = 0; i < ROW; i++) wide[i] = limn_f16_to_f32(features[i]);
    assert_int_equal(
        limn_tagger_open(&tagger, heads, N_POSITIONS, DIM, kernels_of(LIMN_CPU_C), NULL), 0);
    limn_arena_init_counting(&arena);
    limn_tagger_scratch_take(tagger, &arena);
    assert_true(limn_arena_init(&arena, arena.high));
    limn_tagger_run(tagger, limn_tagger_scratch_take(tagger, &arena), wide, out);
    limn_arena_finish(&arena);
    limn_tagger_close(&tagger);
}

static void test_objects_are_learned(void **state)
{
    const limn_tag_settings settings = settings_for_tests();
    data *d = make_data();
    limn_tag_heads heads;
    double loss;
    size_t n_right = 0;
    (void)state;
    train(&heads, &loss, d, &settings);
    for (size_t i = 0; i < N; i++) {
        float out[LIMN_N_OBJECTS];
        run(out, &heads, d->features + i * ROW);
        for (size_t c = 0; c < N_SHOWN; c++)
            n_right += (out[c] > 0.5F) == (d->targets[i * LIMN_N_OBJECTS + c] > 0.5F);
        for (size_t c = N_SHOWN; c < LIMN_N_OBJECTS; c++) assert_true(out[c] < 0.1F);
    }
    assert_in_range(n_right, N * N_SHOWN * 97 / 100, N * N_SHOWN);
    assert_true(loss < 2);
    assert_string_equal(heads.items[0].set, "objects");
    assert_string_equal(heads.items[0].names[9], "traffic light");
    limn_tag_heads_finish(&heads);
    free(d);
}

static bool is_same(const limn_tag_heads *a, const limn_tag_heads *b)
{
    const limn_tensor *x = &a->items[0].hidden_weight, *y = &b->items[0].hidden_weight;
    return memcmp(x->data, y->data, x->size) == 0;
}

static void test_the_seed_decides_and_threads_do_not(void **state)
{
    limn_tag_settings settings = settings_for_tests();
    data *d = make_data();
    limn_tag_heads first, threads, other;
    (void)state;
    settings.n_epochs = 2;
    train(&first, NULL, d, &settings);
    assert_int_equal(limn_pool_create(&settings.pool, 3, NULL), LIMN_OK);
    train(&threads, NULL, d, &settings);
    settings.seed = 1;
    train(&other, NULL, d, &settings);
    assert_true(is_same(&first, &threads));
    assert_false(is_same(&first, &other));
    limn_pool_destroy(&settings.pool);
    limn_tag_heads_finish(&first);
    limn_tag_heads_finish(&threads);
    limn_tag_heads_finish(&other);
    free(d);
}

static void test_targets(void **state)
{
    static const char text[] = "a\tdog:0.25 cat:0.425 cat:0.3 person:0.7\n";
    limn_object_labels labels;
    float targets[LIMN_N_OBJECTS];
    (void)state;
    assert_int_equal(limn_file_replace(temp_path("objects"), text, sizeof text - 1, NULL), 0);
    assert_int_equal(limn_object_labels_read(&labels, temp_path("objects"), NULL), LIMN_OK);
    limn_tag_targets(targets, &labels, 0);
    assert_true(targets[0] == 1 && targets[16] == 0 && targets[2] == 0);
    assert_true(fabsf(targets[15] - 0.5F) < 1e-6F);
    limn_object_labels_finish(&labels);
}

static void test_bad_settings(void **state)
{
    limn_tag_settings settings = settings_for_tests();
    limn_tag_heads heads = { .n_items = 0 };
    const float none[1] = { 0 };
    (void)state;
    assert_int_equal(limn_tag_head_train(&heads, NULL, none, none, 0, DIM, &settings, NULL),
                     LIMN_E_ARG);
    settings.dropout = NAN;
    assert_int_equal(limn_tag_head_train(&heads, NULL, none, none, 1, DIM, &settings, NULL),
                     LIMN_E_ARG);
    assert_int_equal(heads.n_items, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_are_learned),
        cmocka_unit_test(test_the_seed_decides_and_threads_do_not),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_bad_settings),
    };
    if (limn_gemm_init(NULL) != LIMN_OK) return 1;
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

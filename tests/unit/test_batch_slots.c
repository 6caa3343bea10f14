/* Tag slots of a training batch: each image has the slots that it has on its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/train/batch_slots.h"
#include "tests/fixtures/kernels_of.h"

enum { N_IMAGES = 5, N_POSITIONS = 4, DIM = 16, N_TAGS = 6, N_SLOTS = 3 };

static const limn_decoder_config config = {
    .n_memory_positions = N_POSITIONS, .memory_dim = DIM, .n_tag_slots = N_SLOTS, .n_tags = N_TAGS
};

static void fill(float *x, size_t n, const char *name)
{
    limn_rng rng = limn_rng_stream(7, name, strlen(name));
    for (size_t i = 0; i < n; i++) x[i] = (float)limn_rng_normal(&rng);
}

static limn_tagger *open_tagger(void)
{
    static const char *const names[N_TAGS] = { "a", "b", "c", "d", "e", "f" };
    float weight[N_TAGS * 2 * DIM], bias[N_TAGS];
    const limn_tag_head head = {
        .set = LIMN_OBJECTS_SET,
        .has_maximum = true,
        .n_tags = N_TAGS,
        .names = names,
        .output_weight = { .name = "w",
                           .n_dims = 2,
                           .shape = { N_TAGS, 2 * DIM },
                           .data = weight,
                           .size = sizeof weight },
        .output_bias = { .name = "b",
                         .n_dims = 1,
                         .shape = { N_TAGS },
                         .data = bias,
                         .size = sizeof bias },
    };
    limn_tag_heads heads = { .n_items = 0 };
    limn_tagger *tagger;
    fill(weight, N_TAGS * 2 * DIM, "weight");
    fill(bias, N_TAGS, "bias");
    assert_int_equal(limn_tag_heads_add(&heads, &head, DIM, NULL), LIMN_OK);
    assert_int_equal(
        limn_tagger_open(&tagger, &heads, N_POSITIONS, DIM, kernels_of(limn_cpu_best()), NULL),
        LIMN_OK);
    limn_tag_heads_finish(&heads);
    return tagger;
}

static void test_images_have_the_slots_of_their_own_features(void **state)
{
    float features[N_IMAGES][N_POSITIONS * DIM];
    limn_tagger *tagger = open_tagger();
    limn_arena arena;
    (void)state;
    fill(features[0], sizeof features / sizeof(float), "features");
    limn_arena_init_counting(&arena);
    limn_tag_slots_take(&config, tagger, &arena);
    assert_true(limn_arena_init(&arena, arena.high));
    limn_tag_slots *alone = limn_tag_slots_take(&config, tagger, &arena);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        limn_batch_slots *b;
        limn_pool *pool;
        assert_int_equal(limn_pool_create(&pool, n_threads, NULL), LIMN_OK);
        assert_int_equal(limn_batch_slots_create(&b, &config, tagger, N_IMAGES, pool, NULL),
                         LIMN_OK);
        const limn_tag_slot *slots = limn_batch_slots_find(b, features[0], N_IMAGES);
        for (size_t i = 0; i < N_IMAGES; i++)
            assert_memory_equal(slots + i * N_SLOTS, limn_tag_slots_find(alone, features[i]),
                                N_SLOTS * sizeof *slots);
        assert_memory_not_equal(slots, slots + N_SLOTS, N_SLOTS * sizeof *slots);
        limn_batch_slots_destroy(&b);
        limn_pool_destroy(&pool);
    }
    limn_arena_finish(&arena);
    limn_tagger_close(&tagger);
}

static void test_without_slots_there_is_nothing(void **state)
{
    const limn_decoder_config none = { .n_memory_positions = N_POSITIONS, .memory_dim = DIM };
    limn_batch_slots *b;
    (void)state;
    assert_int_equal(limn_batch_slots_create(&b, &none, NULL, N_IMAGES, NULL, NULL), LIMN_OK);
    assert_null(b);
    assert_null(limn_batch_slots_find(b, NULL, N_IMAGES));
    limn_batch_slots_destroy(&b);
    assert_int_equal(limn_batch_slots_create(&b, &config, NULL, N_IMAGES, NULL, NULL),
                     LIMN_E_FORMAT);
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_have_the_slots_of_their_own_features),
        cmocka_unit_test(test_without_slots_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

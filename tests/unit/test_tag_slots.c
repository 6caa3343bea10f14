/* Tag slots: which objects a decoder gets, and that captions, guidance and scores give it the same
 * ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/rng.h"
#include "models/forward.h"
#include "models/scorer.h"
#include "models/tag_slots.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"
#include "tests/fixtures/kernels_of.h"
#include "tests/fixtures/own_tokens.h"

enum { SIDE = 32, N_TOKENS = 24, N_STEPS = 3, N_OBJECTS = 12, N_SLOTS = 4, N_FEATURES = 1280 };

static const uint32_t words[N_STEPS] = { TOKEN_START, 4, 6 }; /* a dog */

static limn_model *open_model(void)
{
    const toy_model_settings settings = {
        .seed = 5, .is_tiny = true, .has_tags = true, .n_objects = N_OBJECTS, .n_tag_slots = N_SLOTS
    };
    const char *path = temp_path("toy.safetensors");
    limn_model *model = NULL;
    limn_error err = { 0 };
    if (toy_model_write(path, &settings, &err) || limn_model_open(&model, path, NULL, &err))
        fail_msg("%s", err.text);
    return model;
}

/* ---- which tags --------------------------------------------------------------------------- */

/* The slots for features, using scratch memory of their own. */
static void find(limn_tag_slot *out, const limn_decoder_config *c, const limn_tagger *tagger,
                 const float *features)
{
    limn_arena arena;
    limn_arena_init_counting(&arena);
    assert_null(limn_tag_slots_take(c, tagger, &arena));
    assert_true(limn_arena_init(&arena, arena.high));
    limn_tag_slots *s = limn_tag_slots_take(c, tagger, &arena);
    memcpy(out, limn_tag_slots_find(s, features), c->n_tag_slots * sizeof *out);
    limn_arena_finish(&arena);
}

/* Probabilities [N_OBJECTS] of a model's objects, by running all its heads. */
static void run_all(float *out, const limn_tagger *tagger, const float *features)
{
    limn_arena arena;
    size_t first, n;
    assert_true(limn_tagger_find_set(&first, &n, tagger, LIMN_OBJECTS_SET));
    assert_int_equal(n, N_OBJECTS);
    limn_arena_init_counting(&arena);
    limn_tagger_scratch_take(tagger, &arena);
    limn_arena_take(&arena, limn_tagger_n_tags(tagger), sizeof(float));
    assert_true(limn_arena_init(&arena, arena.high));
    limn_tagger_scratch *scratch = limn_tagger_scratch_take(tagger, &arena);
    float *all = limn_arena_take(&arena, limn_tagger_n_tags(tagger), sizeof *all);
    limn_tagger_run(tagger, scratch, features, all);
    memcpy(out, all + first, N_OBJECTS * sizeof *out);
    limn_arena_finish(&arena);
}

static void test_slots_are_the_most_probable_objects(void **state)
{
    float features[N_FEATURES], p[N_OBJECTS];
    limn_rng rng = limn_rng_stream(3, "features", 8);
    limn_model *m = open_model();
    limn_decoder_config config = m->config.decoder;
    limn_tag_slot slots[N_OBJECTS];
    (void)state;
    for (size_t i = 0; i < N_FEATURES; i++) features[i] = (float)(2 * limn_rng_uniform(&rng));
    run_all(p, m->tagger, features);
    for (config.n_tag_slots = 1; config.n_tag_slots <= N_OBJECTS; config.n_tag_slots++) {
        find(slots, &config, m->tagger, features);
        for (size_t k = 0; k < config.n_tag_slots; k++) {
            size_t n_better = 0;
            for (size_t i = 0; i < N_OBJECTS; i++) n_better += p[i] > p[slots[k].tag];
            assert_int_equal(n_better, k);
            assert_true(slots[k].probability == p[slots[k].tag]);
        }
    }
    limn_model_close(&m);
}

/* All objects are equally probable where the last layer's weights are zero. */
static void test_equal_tags_come_by_number(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    static const float weight[5 * 16] = { 0 }, bias[] = { 0, 1, 0, 1, 1 };
    static const float features[16] = { 1 };
    const limn_decoder_config config = { .n_tag_slots = 4, .n_tags = 5 };
    const limn_tag_head head = {
        .set = LIMN_OBJECTS_SET,
        .n_tags = 5,
        .names = names,
        .output_weight = { .name = "w",
                           .n_dims = 2,
                           .shape = { 5, 16 },
                           .data = weight,
                           .size = sizeof weight },
        .output_bias = { .name = "b",
                         .n_dims = 1,
                         .shape = { 5 },
                         .data = bias,
                         .size = sizeof bias },
    };
    static const uint32_t expected[] = { 1, 3, 4, 0 };
    limn_tag_heads heads = { .n_items = 0 };
    limn_tagger *tagger;
    limn_tag_slot slots[4];
    (void)state;
    assert_int_equal(limn_tag_heads_add(&heads, &head, 16, NULL), LIMN_OK);
    assert_int_equal(limn_tagger_open(&tagger, &heads, 1, 16, kernels_of(limn_cpu_best()), NULL),
                     LIMN_OK);
    find(slots, &config, tagger, features);
    for (size_t k = 0; k < 4; k++) assert_int_equal(slots[k].tag, expected[k]);
    limn_tagger_close(&tagger);
    limn_tag_heads_finish(&heads);
}

/* ---- where they are used ------------------------------------------------------------------ */

static void make_input(uint8_t input[SIDE * SIDE * 3], unsigned seed)
{
    for (size_t i = 0; i < SIDE * SIDE * 3; i++) input[i] = (uint8_t)(i * seed * 37 / 8);
}

/* Log-probabilities [N_STEPS, N_TOKENS] of an image; a previous one changes nothing. */
static void run_forward(float *out, const limn_model *m, float guidance)
{
    const uint32_t parent = 0;
    uint8_t input[SIDE * SIDE * 3];
    const limn_forward_settings settings = { .max_rows = 2,
                                             .max_steps = m->config.max_steps,
                                             .guidance = guidance };
    limn_forward *f;
    assert_int_equal(limn_forward_create(&f, m, NULL, &settings, NULL), LIMN_OK);
    for (unsigned image = 4; image-- > 2;) {
        make_input(input, image);
        limn_forward_encode(f, input);
        limn_forward_begin(f, 0);
        for (size_t i = 0; i < N_STEPS; i++)
            memcpy(out + i * N_TOKENS,
                   limn_forward_step(f, &(limn_forward_turn){ 0, { 1, &parent, &words[i] } }, 1),
                   N_TOKENS * sizeof *out);
    }
    limn_forward_destroy(&f);
}

/* The same by calling the parts directly; is_unconditional: features of zero, and no tags. */
static void run_parts(float *out, const limn_model *m, bool is_unconditional)
{
    const uint32_t parent = 0;
    uint8_t input[SIDE * SIDE * 3];
    float features[N_FEATURES] = { 0 };
    limn_tag_slot slots[N_SLOTS] = { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 } };
    limn_encoder_state *encoder;
    limn_decoder_state *decoder;
    make_input(input, 2);
    assert_int_equal(limn_encoder_state_create(&encoder, m->encoder, NULL), LIMN_OK);
    assert_int_equal(limn_decoder_state_create(&decoder, m->decoder, 1, N_STEPS, NULL), LIMN_OK);
    if (!is_unconditional) {
        limn_encoder_run(m->encoder, encoder, NULL, input, features);
        find(slots, &m->config.decoder, m->tagger, features);
    }
    limn_decoder_begin(decoder, NULL, features, slots);
    for (size_t i = 0; i < N_STEPS; i++)
        limn_decoder_step(decoder, NULL, 1, &parent, &words[i], out + i * N_TOKENS);
    limn_model_log_probs(m, out, N_STEPS);
    limn_encoder_state_destroy(&encoder);
    limn_decoder_state_destroy(&decoder);
}

static void test_steps_are_those_of_the_parts(void **state)
{
    float got[N_STEPS * N_TOKENS], expected[N_STEPS * N_TOKENS];
    limn_model *m = open_model();
    (void)state;
    run_parts(expected, m, false);
    run_forward(got, m, 1);
    assert_memory_equal(got, expected, sizeof got);
    run_parts(expected, m, true);
    run_forward(got, m, 0); /* guidance 0: as if there were no image */
    assert_memory_equal(got, expected, sizeof got);
    limn_model_close(&m);
}

static void test_scores_are_those_of_the_parts(void **state)
{
    float with[N_STEPS], without[N_STEPS];
    float seen[N_STEPS * N_TOKENS], unseen[N_STEPS * N_TOKENS];
    const limn_score_job job = { words + 1, 2, with, without };
    uint8_t input[SIDE * SIDE * 3];
    limn_model *m = open_model();
    limn_scorer *scorer;
    (void)state;
    make_input(input, 2);
    assert_int_equal(limn_scorer_create(&scorer, m, 0, 2, NULL), LIMN_OK);
    assert_int_equal(limn_scorer_run(scorer, input, &job, 1, NULL), LIMN_OK);
    run_parts(seen, m, false);
    run_parts(unseen, m, true);
    for (size_t i = 0; i < N_STEPS; i++) {
        const size_t at = i * N_TOKENS + (i < 2 ? words[i + 1] : (uint32_t)TOKEN_END);
        assert_true(with[i] == seen[at]);
        assert_true(without[i] == unseen[at]);
    }
    limn_scorer_destroy(&scorer);
    limn_model_close(&m);
}

/* ---- files -------------------------------------------------------------------------------- */

static void test_models_whose_tags_are_others(void **state)
{
    limn_decoder_config decoder = toy_model_config(false).decoder;
    toy_model_settings settings = { .seed = 5, .decoder = &decoder, .n_objects = 11 };
    const char *path = temp_path("other.safetensors");
    limn_model *m = open_model(), *other;
    limn_error err = { 0 };
    (void)state;
    decoder.n_tag_slots = N_SLOTS;
    decoder.n_tags = N_OBJECTS;
    assert_int_equal(toy_model_write(path, &settings, NULL), LIMN_OK);
    assert_int_equal(limn_model_open(&other, path, NULL, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "limn.tags: the set \"objects\" has 11 tags, the decoder "
                                     "reads 12"));
    err = (limn_error){ 0 };
    assert_int_equal(limn_tag_slots_check(&decoder, NULL, &err), LIMN_E_FORMAT);
    assert_string_equal(err.text, "limn.tags: no set \"objects\", of whose 12 tags the decoder "
                                  "reads 4");
    assert_int_equal(limn_tag_slots_check(&decoder, m->tagger, &err), LIMN_OK);
    limn_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_are_the_most_probable_objects),
        cmocka_unit_test(test_equal_tags_come_by_number),
        cmocka_unit_test(test_steps_are_those_of_the_parts),
        cmocka_unit_test(test_scores_are_those_of_the_parts),
        cmocka_unit_test(test_models_whose_tags_are_others),
    };
    return cmocka_run_group_tests(tests, temp_folder_setup, temp_folder_teardown);
}

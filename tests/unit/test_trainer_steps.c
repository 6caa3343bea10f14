/* Whole steps of the trainer against PyTorch: dropout that differs at each step, and the mixing of
 * reward and cross-entropy. The fixture is made by tests/fixtures/make_trainer_steps.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/io/params_tensors.h"
#include "models/train/optimizer_kinds.h"
#include "models/train/trainer.h"
#include "tests/fixtures/toy_model.h"
#include "tests/fixtures/own_tokens.h"

enum { N_IMAGES = 3, N_CAPTIONS = 5, N_ROWS = 24, N_WORDS = 19, N_FEATURES = 3 * 5 * 7, SEED = 9 };

/* The batch of make_decoder_grad.py. */
static const uint32_t images[] = { 0, 0, 1, 2, 2 }, offsets[] = { 0, 5, 8, 14, 16, 24 };
static const char *const names[] = { "a.jpg", "b.jpg", "c.jpg" };
static const size_t first_references[] = { 0, 2, 3, 5 };
/* TEXT of make_trainer_steps.py. */
static const uint32_t text_words[] = { 18, 5, 5, 8, 6, 16 };
static const size_t text_offsets[] = { 0, 2, 5, 6 }, first_texts[] = { 0, 2, 3 };
static const limn_references text = { text_words, text_offsets, first_texts, 2, TOKEN_END };

typedef struct fixture {
    limn_safetensors *file;
    limn_trainer *trainer;
    json_t *wanted;
    limn_trainer_settings settings;
    float features[N_FEATURES];
    uint32_t inputs[N_ROWS], targets[N_ROWS], words[N_WORDS];
    size_t word_offsets[N_CAPTIONS + 1];
    limn_batch_image batch_images[N_IMAGES];
    limn_batch batch;
} fixture;

static const char *data_path(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/tests/data/train/%s", getenv("LIMN_SOURCE_ROOT"), name);
    return path;
}

static limn_model_config model_config(void)
{
    limn_model_config c = toy_model_config(false);
    c.decoder.dim = 16;
    c.decoder.n_heads = 2;
    c.decoder.feed_forward_dim = 32;
    c.decoder.max_positions = 12;
    c.decoder.n_tokens = 19;
    c.decoder.n_memory_positions = 5;
    c.decoder.memory_dim = 7;
    return c;
}

static void read_batch(fixture *f)
{
    memcpy(f->inputs, limn_safetensors_find(f->file, "captions")->data, sizeof f->inputs);
    memcpy(f->targets, limn_safetensors_find(f->file, "targets")->data, sizeof f->targets);
    limn_tensor_to_f32(f->features, limn_safetensors_find(f->file, "features"));
    for (uint32_t i = 0; i < N_IMAGES; i++) f->batch_images[i] = (limn_batch_image){ .image = i };
    f->batch = (limn_batch){ .images = f->batch_images,
                             .n_images = N_IMAGES,
                             .n_rows = N_ROWS,
                             .decoder = { .n_images = N_IMAGES,
                                          .n_captions = N_CAPTIONS,
                                          .images = images,
                                          .offsets = offsets,
                                          .inputs = f->inputs,
                                          .targets = f->targets } };
    for (size_t c = 0, at = 0; c < N_CAPTIONS; c++) { /* the references: the same captions */
        for (uint32_t row = offsets[c] + 1; row < offsets[c + 1]; row++)
            f->words[at++] = f->inputs[row];
        f->word_offsets[c + 1] = at;
    }
}

static void open_fixture(fixture *f, limn_trainer_settings settings)
{
    const limn_model_config config = model_config();
    const limn_decoder_limits limits = { N_ROWS, N_IMAGES };
    limn_error err = { 0 };
    *f = (fixture){ .settings = settings };
    assert_int_equal(limn_safetensors_open(&f->file, data_path("decoder_grad.safetensors"), NULL),
                     LIMN_OK);
    f->wanted = json_load_file(data_path("trainer_steps.json"), 0, NULL);
    assert_non_null(f->wanted);
    read_batch(f);
    f->settings.seed = SEED;
    f->settings.learning_rate =
        (limn_learning_rate){ .peak = 1e-9F, .final_share = 1, .n_steps = 100 };
    f->settings.optimizer = limn_optimizer_settings_default();
    f->settings.regularization.label_smoothing = 0.1F;
    f->settings.reward.references =
        (limn_references){ f->words, f->word_offsets, first_references, N_IMAGES, TOKEN_END };
    f->settings.reward.names = names;
    if (limn_trainer_create(&f->trainer, &config, &f->settings, &limits, NULL, limn_cpu_best(),
                            &err))
        fail_msg("%s", err.text);
}

static void close_fixture(fixture *f)
{
    limn_trainer_destroy(&f->trainer);
    limn_safetensors_close(&f->file);
    json_decref(f->wanted);
}

/* Takes step `number` from the fixture's values, whatever came before. */
static limn_step_result step(fixture *f, uint64_t number)
{
    const limn_trainer_input input = { .features = f->features };
    limn_params *params = limn_trainer_params(f->trainer);
    limn_step_result result;
    limn_error err = { 0 };
    for (size_t i = 0; i < params->n_items; i++) {
        char name[128];
        snprintf(name, sizeof name, "value.%s", params->items[i].name);
        limn_tensor_to_f32(params->values + params->items[i].offset,
                           limn_safetensors_find(f->file, name));
    }
    f->batch.step = number;
    if (limn_trainer_step(f->trainer, &f->batch, &input, &result, &err)) fail_msg("%s", err.text);
    return result;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void assert_near(const char *what, double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-4 * fabs(wanted)))
        fail_msg("%s is %.9g, expected %.9g", what, got, wanted);
}

static void test_each_step_drops_out_as_its_number_says(void **state)
{
    fixture f;
    double last = 0;
    const json_t *row;
    size_t i;
    (void)state;
    open_fixture(&f, (limn_trainer_settings){ .stage = LIMN_STAGE_FEATURES,
                                              .regularization = { .dropout = 0.3F,
                                                                  .feature_dropout = 0.2F,
                                                                  .image_dropout = 0.4F } });
    json_array_foreach(json_object_get(f.wanted, "dropout"), i, row)
    {
        const limn_step_result result = step(&f, (uint64_t)number(row, "step"));
        assert_near("loss", result.loss, number(row, "loss"));
        assert_near("gradient's norm", result.norm, number(row, "norm"));
        assert_true(result.loss != last);
        last = result.loss;
    }
    assert_int_equal(i, 4);
    close_fixture(&f);
}

/* Checks that the drawn captions are those of the fixture's numbers. */
static void check_drawn(const json_t *wanted, const limn_reward_batch *drawn)
{
    const json_t *caption, *captions = json_object_get(wanted, "drawn");
    const limn_decoder_batch *b = &drawn->decoder;
    char said[1024] = "";
    size_t i, at = 0;
    for (i = 0; i < b->n_captions; i++) {
        at += (size_t)snprintf(said + at, sizeof said - at, "[");
        for (uint32_t r = b->offsets[i]; r < b->offsets[i + 1]; r++)
            at += (size_t)snprintf(said + at, sizeof said - at, "%u%s", b->targets[r],
                                   r + 1 < b->offsets[i + 1] ? ", " : "], ");
    }
    if (json_array_size(captions) != b->n_captions)
        fail_msg("other captions are drawn; DRAWN of make_trainer_steps.py should be %s", said);
    json_array_foreach(captions, i, caption)
    {
        const uint32_t first = b->offsets[i], n = b->offsets[i + 1] - first;
        if (json_array_size(json_object_get(caption, "tokens")) != n)
            fail_msg("other captions are drawn: %s", said);
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(
                json_integer_value(json_array_get(json_object_get(caption, "tokens"), k)),
                b->targets[first + k]);
        assert_near("weight", (double)b->weights[first], number(caption, "weight"));
    }
}

/* Checks the captions that a trainer draws, with the reward's own functions. */
static void check_draw(fixture *f, uint64_t number_of_step, const json_t *wanted)
{
    const limn_model_config config = model_config();
    const limn_reward_settings settings = { .n_samples = f->settings.reward.n_samples,
                                            .max_steps = f->settings.reward.max_steps,
                                            .max_images = N_IMAGES,
                                            .seed = SEED,
                                            .weights = f->settings.reward.weights,
                                            .text = f->settings.reward.text };
    limn_reward_image whose[N_IMAGES];
    const limn_reward_batch *drawn;
    limn_reward *reward;
    for (uint32_t i = 0; i < N_IMAGES; i++) whose[i] = (limn_reward_image){ names[i], i };
    assert_int_equal(limn_reward_create(&reward, &config.decoder, limn_trainer_params(f->trainer),
                                        &f->settings.reward.references, &settings, NULL,
                                        limn_cpu_best(), NULL),
                     LIMN_OK);
    step(f, number_of_step); /* sets the values; the rate is almost zero */
    assert_int_equal(
        limn_reward_draw(reward, &drawn, number_of_step, whose, f->features, NULL, N_IMAGES, NULL),
        LIMN_OK);
    check_drawn(wanted, drawn);
    limn_reward_destroy(&reward);
}

static limn_trainer_settings reward_settings(double share)
{
    return (limn_trainer_settings){
        .stage = LIMN_STAGE_REWARD,
        .reward = { .n_samples = 3, .max_steps = 6, .cross_entropy_share = (float)share }
    };
}

static void test_the_fixture_is_of_what_is_drawn(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, reward_settings(0.5));
    check_draw(&f, 2, f.wanted);
    close_fixture(&f);
}

static void test_reward_and_cross_entropy_have_their_shares(void **state)
{
    enum { N_SHARES = 4 };
    (void)state;
    for (size_t i = 0; i < N_SHARES; i++) {
        fixture f;
        json_t *file = json_load_file(data_path("trainer_steps.json"), 0, NULL);
        const json_t *row = json_array_get(json_object_get(file, "shares"), i);
        open_fixture(&f, reward_settings(number(row, "share")));
        const limn_step_result result = step(&f, 2);
        assert_near("cross-entropy", result.loss, number(row, "loss"));
        assert_near("gradient's norm", result.norm, number(row, "norm"));
        close_fixture(&f);
        json_decref(file);
    }
}

/* Captions are rewarded for telling their image from others, with the frequencies of text
 * included. */
static void test_retrieval_and_text_weigh_captions_otherwise(void **state)
{
    limn_trainer_settings settings = reward_settings(0);
    fixture f;
    (void)state;
    settings.reward.weights.retrieval = 0.5F;
    settings.reward.text = &text;
    open_fixture(&f, settings);
    const json_t *wanted = json_object_get(f.wanted, "retrieval");
    assert_float_equal(number(wanted, "weight"), 0.5, 0);
    check_draw(&f, 2, wanted);
    assert_near("gradient's norm", step(&f, 2).norm, number(wanted, "norm"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_step_drops_out_as_its_number_says),
        cmocka_unit_test(test_the_fixture_is_of_what_is_drawn),
        cmocka_unit_test(test_reward_and_cross_entropy_have_their_shares),
        cmocka_unit_test(test_retrieval_and_text_weigh_captions_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

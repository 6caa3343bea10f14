#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "models/train/optimizer_kinds.h"
#include "models/train/trainer.h"
#include "tests/fixtures/toy_model.h"

enum { N_IMAGES = 2, N_WORDS = 3 };

static const uint32_t tokens[N_IMAGES * N_WORDS] = { 5, 6, 7, 8, 9, 10 };
static const size_t offsets[] = { 0, N_WORDS, 2 * N_WORDS }, first_captions[] = { 0, 1, 2 };

struct fixture {
    limn_batches *batches;
    limn_trainer *trainer;
    limn_model_config config;
    float *features;
    size_t n_floats; /* of features */
};

static limn_batches *create_batches(void)
{
    const limn_batch_source source = { .tokens = tokens,
                                       .offsets = offsets,
                                       .n_captions = 2,
                                       .n_images = N_IMAGES,
                                       .first_captions = first_captions };
    const limn_batches_settings settings = { .n_images = N_IMAGES,
                                             .captions_an_image = 1,
                                             .max_words = 8,
                                             .n_views = 1,
                                             .start = 1,
                                             .end = 2 };
    limn_batches *b;
    assert_int_equal(limn_batches_create(&b, &source, 1, &settings, NULL), LIMN_OK);
    return b;
}

static void create(struct fixture *f, limn_stage stage)
{
    const limn_trainer_settings settings = {
        .stage = stage,
        .optimizer = limn_optimizer_settings_default(),
        .end_to_end = { .first_stage = 17, .encoder_rate = 1 },
        .learning_rate = { .peak = 1e-2f, .final_share = 1, .n_steps = 100 },
    };
    limn_error err = { 0 };
    f->config = toy_model_config(false);
    f->batches = create_batches();
    const limn_decoder_limits limits = limn_batches_limits(f->batches);
    if (limn_trainer_create(&f->trainer, &f->config, &settings, &limits, NULL, limn_cpu_best(),
                            &err) != LIMN_OK)
        fail_msg("%s", err.text);
    limn_decoder_params_init(limn_trainer_params(f->trainer), 3);
    f->n_floats =
        (size_t)N_IMAGES * f->config.decoder.n_memory_positions * f->config.decoder.memory_dim;
    f->features = limn_calloc(f->n_floats, sizeof *f->features);
    for (size_t i = 0; i < f->n_floats; i++) f->features[i] = (float)(i % 13) / 4;
}

static void finish(struct fixture *f)
{
    limn_trainer_destroy(&f->trainer);
    limn_batches_destroy(&f->batches);
    limn_free(f->features);
}

static limn_status step(struct fixture *f, uint64_t number, double *loss, limn_error *err)
{
    const limn_trainer_input input = { .features = f->features };
    limn_step_result result = { .loss = 0 };
    const limn_status status =
        limn_trainer_step(f->trainer, limn_batches_get(f->batches, number), &input, &result, err);
    *loss = result.loss;
    return status;
}

static void test_loss_falls(void **state)
{
    struct fixture f;
    double first, last;
    (void)state;
    create(&f, LIMN_STAGE_FEATURES);
    assert_int_equal(step(&f, 0, &first, NULL), LIMN_OK);
    for (uint64_t i = 1; i < 40; i++) assert_int_equal(step(&f, i, &last, NULL), LIMN_OK);
    assert_true(last < 0.2 * first);
    finish(&f);
}

/* A loss that is not finite leaves weights, moments and average as they were. */
static void test_what_is_not_finite_changes_nothing(void **state)
{
    struct fixture f;
    double loss;
    limn_error err = { 0 };
    (void)state;
    create(&f, LIMN_STAGE_FEATURES);
    const limn_params *params = limn_trainer_params(f.trainer);
    const limn_optimizer *adamw = limn_trainer_optimizer(f.trainer);
    const size_t size = params->n_floats * sizeof(float);
    float *before = limn_alloc(3 * params->n_floats, sizeof *before);
    assert_int_equal(step(&f, 0, &loss, NULL), LIMN_OK);
    memcpy(before, params->values, size);
    memcpy(before + params->n_floats, adamw->states[0], size);
    memcpy(before + 2 * params->n_floats, adamw->average, size);
    f.features[7] = NAN;
    assert_int_equal(step(&f, 1, &loss, &err), LIMN_E_LIMIT);
    assert_non_null(strstr(err.text, "step 1"));
    assert_memory_equal(before, params->values, size);
    assert_memory_equal(before + params->n_floats, adamw->states[0], size);
    assert_memory_equal(before + 2 * params->n_floats, adamw->average, size);
    assert_int_equal(adamw->n_steps, 1);
    limn_free(before);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_falls),
        cmocka_unit_test(test_what_is_not_finite_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/io/safetensors.h"
#include "models/train/adamw.h"
#include "models/train/checkpoint.h"
#include "models/train/optimizer_kinds.h"
#include "models/train/learning_rate.h"

static void make_params(limn_params *params, size_t n_rows)
{
    memset(params, 0, sizeof *params);
    assert_int_equal(limn_params_add(params, "a.weight", 2, (size_t[]){ n_rows, 3 }, true, NULL),
                     LIMN_OK);
    assert_int_equal(limn_params_add(params, "a.bias", 1, (size_t[]){ n_rows }, false, NULL),
                     LIMN_OK);
    assert_int_equal(limn_params_allocate(params, NULL), LIMN_OK);
    for (size_t i = 0; i < params->n_floats; i++) {
        params->values[i] = (float)i;
        params->gradients[i] = 0.5f - (float)(i % 7);
    }
}

static void step(limn_params *params, limn_optimizer *adamw)
{
    const limn_optimizer_settings settings = limn_optimizer_settings_default();
    limn_optimizer_step(adamw, params, &settings, 0.01f, limn_gradient_norm(params, NULL), NULL);
}

static void test_a_run_goes_on_bit_for_bit(void **test_state)
{
    char path[] = "checkpoint-XXXXXX", *state = NULL;
    limn_params straight, resumed;
    limn_optimizer adamw_straight, adamw_resumed;
    (void)test_state;
    close(mkstemp(path));
    make_params(&straight, 5);
    make_params(&resumed, 5);
    assert_int_equal(limn_optimizer_init(&adamw_straight, &limn_adamw, &straight, NULL), LIMN_OK);
    assert_int_equal(limn_optimizer_init(&adamw_resumed, &limn_adamw, &resumed, NULL), LIMN_OK);
    for (int i = 0; i < 3; i++) step(&straight, &adamw_straight);
    assert_int_equal(
        limn_checkpoint_write(path, &straight, &adamw_straight, "{\"epoch\": 2}", NULL), LIMN_OK);
    assert_int_equal(limn_checkpoint_read(path, &resumed, &adamw_resumed, &state, NULL), LIMN_OK);
    assert_string_equal(state, "{\"epoch\": 2}");
    for (int i = 0; i < 3; i++) {
        step(&straight, &adamw_straight);
        step(&resumed, &adamw_resumed);
    }
    for (size_t i = 0; i < straight.n_items; i++) {
        const limn_param *p = &straight.items[i];
        const size_t size = p->n * sizeof(float);
        assert_memory_equal(straight.values + p->offset, resumed.values + p->offset, size);
        assert_memory_equal(adamw_straight.average + p->offset, adamw_resumed.average + p->offset,
                            size);
    }
    unlink(path);
    limn_free(state);
    limn_optimizer_finish(&adamw_straight);
    limn_optimizer_finish(&adamw_resumed);
    limn_params_finish(&straight);
    limn_params_finish(&resumed);
}

static void test_another_models_checkpoint_is_refused(void **test_state)
{
    char path[] = "checkpoint-XXXXXX", *state = NULL;
    limn_params params, other;
    limn_optimizer adamw, adamw_other;
    limn_error err = { 0 };
    (void)test_state;
    close(mkstemp(path));
    make_params(&params, 5);
    make_params(&other, 6);
    assert_int_equal(limn_optimizer_init(&adamw, &limn_adamw, &params, NULL), LIMN_OK);
    assert_int_equal(limn_optimizer_init(&adamw_other, &limn_adamw, &other, NULL), LIMN_OK);
    assert_int_equal(limn_checkpoint_write(path, &params, &adamw, "", NULL), LIMN_OK);
    assert_int_equal(limn_checkpoint_read(path, &other, &adamw_other, &state, &err), LIMN_E_FORMAT);
    assert_null(state);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "value.a.weight"));
    unlink(path);
    limn_optimizer_finish(&adamw);
    limn_optimizer_finish(&adamw_other);
    limn_params_finish(&params);
    limn_params_finish(&other);
}

/* Rewrites the checkpoint at `path` with the optimizer `name`, or without a name. */
static void rename_optimizer(const char *path, const char *name)
{
    limn_safetensors *file;
    limn_tensor tensors[8];
    assert_int_equal(limn_safetensors_open(&file, path, NULL), LIMN_OK);
    const limn_metadata_item items[] = {
        { "limn.training.state", limn_safetensors_metadata(file, "limn.training.state") },
        { "limn.training.steps", limn_safetensors_metadata(file, "limn.training.steps") },
        { "limn.training.optimizer", name }
    };
    assert_string_equal(limn_safetensors_metadata(file, items[2].key), "adamw");
    assert_int_equal(limn_safetensors_n_tensors(file), 8);
    for (size_t i = 0; i < 8; i++) tensors[i] = *limn_safetensors_at(file, i);
    assert_int_equal(limn_safetensors_write(path, tensors, 8, items, name ? 3 : 2, NULL), LIMN_OK);
    limn_safetensors_close(&file);
}

static void test_the_optimizer_is_known_by_its_name(void **test_state)
{
    char path[] = "checkpoint-XXXXXX", *state = NULL;
    limn_params params;
    limn_optimizer optimizer;
    limn_error err = { 0 };
    (void)test_state;
    close(mkstemp(path));
    make_params(&params, 5);
    assert_ptr_equal(limn_optimizer_find("adamw"), &limn_adamw);
    assert_null(limn_optimizer_find("sgd"));
    assert_int_equal(limn_optimizer_init(&optimizer, &limn_adamw, &params, NULL), LIMN_OK);
    assert_int_equal(limn_checkpoint_write(path, &params, &optimizer, "old", NULL), LIMN_OK);
    rename_optimizer(path, NULL); /* like checkpoints from before they named it */
    assert_int_equal(limn_checkpoint_read(path, &params, &optimizer, &state, NULL), LIMN_OK);
    limn_free(state);
    assert_int_equal(limn_checkpoint_write(path, &params, &optimizer, "new", NULL), LIMN_OK);
    rename_optimizer(path, "sgd");
    assert_int_equal(limn_checkpoint_read(path, &params, &optimizer, &state, &err), LIMN_E_FORMAT);
    assert_non_null(strstr(err.text, "\"sgd\""));
    unlink(path);
    limn_optimizer_finish(&optimizer);
    limn_params_finish(&params);
}

static void test_the_schedule_warms_up_and_cools_down(void **test_state)
{
    const limn_learning_rate s = {
        .peak = 1.0f, .final_share = 0.1f, .n_warmup_steps = 10, .n_steps = 110
    };
    (void)test_state;
    assert_float_equal(limn_learning_rate_at(&s, 0), 0.1f, 1e-6f);
    assert_float_equal(limn_learning_rate_at(&s, 9), 1.0f, 1e-6f);
    assert_float_equal(limn_learning_rate_at(&s, 10), 1.0f, 1e-6f);
    assert_float_equal(limn_learning_rate_at(&s, 60), 0.55f, 1e-6f);
    assert_float_equal(limn_learning_rate_at(&s, 110), 0.1f, 1e-6f);
    assert_float_equal(limn_learning_rate_at(&s, 100000), 0.1f, 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_goes_on_bit_for_bit),
        cmocka_unit_test(test_another_models_checkpoint_is_refused),
        cmocka_unit_test(test_the_optimizer_is_known_by_its_name),
        cmocka_unit_test(test_the_schedule_warms_up_and_cools_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

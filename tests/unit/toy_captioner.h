/* The toy model of tests/fixtures, opened, and states of models, for tests of captioning. Include
 * after cmocka.h. */
#ifndef LIMN_TESTS_UNIT_TOY_CAPTIONER_H
#define LIMN_TESTS_UNIT_TOY_CAPTIONER_H

#include <unistd.h>

#include "models/captioner.h"
#include "tests/fixtures/toy_model.h"
#include "tests/unit/temp_folder.h"

/* Written into the test's folder by the first call. */
static inline limn_model *open_toy_model(const char *cpu_level)
{
    const toy_model_settings settings = { .seed = 3, .dtype = LIMN_TENSOR_F16 };
    const char *path = temp_path("toy.safetensors");
    limn_model *model = NULL;
    limn_error err = { 0 };
    if ((access(path, R_OK) != 0 && toy_model_write(path, &settings, &err)) ||
        limn_model_open(&model, path, cpu_level, &err))
        fail_msg("%s", err.text);
    return model;
}

static inline limn_state *make_state(const limn_model *model, const limn_options *options,
                                     uint32_t n_threads)
{
    limn_state *state;
    limn_error err = { 0 };
    if (limn_state_create(&state, model, options, n_threads, &err)) fail_msg("%s", err.text);
    return state;
}

#endif

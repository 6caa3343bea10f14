#include "encoder/encoder_training.h"

#include "common/base/mem.h"
#include "common/weights/table_params.h"
#include "encoder/efficientnet_lite/efficientnet_lite.h"
#include "encoder/efficientnet_lite/lite_trainer.h"
#include "encoder/network_family.h"

struct limn_encoder_trainer {
    const limn_encoder_training *training;
    void *trainer;
};

/* Separate from the table of families, since captioning does not need training. */
static const struct {
    const limn_encoder_family *family;
    const limn_encoder_training *training;
    const char *name;
} trainings[] = {
    { &limn_efficientnet_lite, &limn_efficientnet_lite_training, "EfficientNet-Lite" },
};

static const limn_encoder_training *find(const char *family)
{
    const limn_encoder_family *of = limn_encoder_family_find(family);
    for (size_t i = 0; i < sizeof trainings / sizeof *trainings; i++)
        if (trainings[i].family == of) return trainings[i].training;
    return NULL;
}

limn_status limn_encoder_training_check(const limn_encoder_config *config, limn_error *err)
{
    LIMN_TRY(limn_encoder_check(config, err));
    if (find(config->family)) return LIMN_OK;
    return limn_fail(err, LIMN_E_UNSUPPORTED,
                     "an encoder '%s' can't be trained, only a decoder on its features; %s can",
                     config->family, trainings[0].name);
}

limn_status limn_encoder_params_add(limn_params *params, const limn_encoder_config *config,
                                    size_t first_stage, float rate, limn_error *err)
{
    limn_tensor_table table = { 0 };
    limn_encoder_tensors(&table, config);
    limn_status status = limn_tensor_table_check(&table, err);
    if (status == LIMN_OK)
        status = limn_table_params_add(params, &table, (uint32_t)first_stage, rate, err);
    limn_tensor_table_finish(&table);
    return status;
}

limn_status limn_encoder_trainer_create(limn_encoder_trainer **out,
                                        const limn_encoder_trainer_settings *settings,
                                        limn_params *params, limn_pool *pool, limn_cpu_level level,
                                        limn_error *err)
{
    *out = NULL;
    LIMN_TRY(limn_encoder_training_check(&settings->config, err));
    limn_encoder_trainer *t = limn_calloc(1, sizeof *t);
    if (!t) return limn_fail(err, LIMN_E_NOMEM, "no memory for a trainer");
    t->training = find(settings->config.family);
    const limn_status status = t->training->create(&t->trainer, settings, params, pool, level, err);
    if (status != LIMN_OK) limn_encoder_trainer_destroy(&t);
    *out = t;
    return status;
}

void limn_encoder_trainer_destroy(limn_encoder_trainer **t)
{
    if (!t || !*t) return;
    if ((*t)->trainer) (*t)->training->destroy((*t)->trainer);
    limn_free(*t);
    *t = NULL;
}

size_t limn_encoder_trainer_bytes(const limn_encoder_trainer_settings *settings, size_t n_threads)
{
    const limn_encoder_training *training = find(settings->config.family);
    return training ? training->bytes(settings, n_threads) : 0;
}

const float *limn_encoder_trainer_forward(limn_encoder_trainer *t, const uint8_t *pixels,
                                          size_t n_images)
{
    return t->training->forward(t->trainer, pixels, n_images);
}

const float *limn_encoder_trainer_forward_cut(limn_encoder_trainer *t, const float *maps,
                                              size_t n_images)
{
    return t->training->forward_cut(t->trainer, maps, n_images);
}

void limn_encoder_trainer_backward(limn_encoder_trainer *t, const float *feature_gradients)
{
    t->training->backward(t->trainer, feature_gradients);
}

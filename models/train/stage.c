#include "models/train/stage.h"

#include <math.h>
#include <stddef.h>

const char *const limn_stage_names[] = {
    [LIMN_STAGE_TEXT] = "text",
    [LIMN_STAGE_FEATURES] = "features",
    [LIMN_STAGE_END_TO_END] = "end-to-end",
    [LIMN_STAGE_REWARD] = "reward",
    NULL,
};

static const limn_stage_settings defaults[] = {
    [LIMN_STAGE_TEXT] = { .stage = LIMN_STAGE_TEXT,
                          .n_epochs = 4,
                          .n_images = 256,
                          .n_views = 1,
                          .rate = 5e-4f,
                          .weight_decay = 0.02f,
                          .regularization = { .dropout = 0.2f, .label_smoothing = 0.1f } },
    [LIMN_STAGE_FEATURES] = { .stage = LIMN_STAGE_FEATURES,
                              .n_epochs = 12,
                              .n_images = 16,
                              .n_views = 4,
                              .rate = 5e-4f,
                              .weight_decay = 0.02f,
                              .regularization = { .dropout = 0.2f,
                                                  .feature_dropout = 0.1f,
                                                  .label_smoothing = 0.1f } },
    [LIMN_STAGE_END_TO_END] = { .stage = LIMN_STAGE_END_TO_END,
                                .n_epochs = 4,
                                .n_images = 32,
                                .n_views = 4,
                                .rate = 1e-4f,
                                .weight_decay = 0.02f,
                                .regularization = { .dropout = 0.2f,
                                                    .feature_dropout = 0.1f,
                                                    .label_smoothing = 0.1f },
                                .end_to_end = { .n_parts = 10, .encoder_rate = 0.3f } },
    [LIMN_STAGE_REWARD] = { .stage = LIMN_STAGE_REWARD,
                            .n_epochs = 4,
                            .n_images = 16,
                            .n_views = 2,
                            .rate = 5e-5f,
                            .weight_decay = 0.02f,
                            .regularization = { .dropout = 0.2f, .label_smoothing = 0.1f },
                            .reward = { .n_samples = 5, .cross_entropy_share = 0.1f } },
};

limn_stage_settings limn_stage_settings_unset(void)
{
    return (limn_stage_settings){
        .rate = NAN,
        .weight_decay = NAN,
        .regularization = { NAN, NAN, NAN, NAN },
        .end_to_end = { .encoder_rate = NAN },
        .reward = { .cross_entropy_share = NAN, .weights = { NAN, NAN, NAN, NAN, NAN, NAN } },
    };
}

static void set_count(uint32_t *value, uint32_t given)
{
    *value = given ? given : *value;
}

static void set_real(float *value, float given)
{
    *value = isnan(given) ? *value : given;
}

static void set_regularization(limn_regularization *r, const limn_regularization *given)
{
    set_real(&r->dropout, given->dropout);
    set_real(&r->feature_dropout, given->feature_dropout);
    set_real(&r->image_dropout, given->image_dropout);
    set_real(&r->label_smoothing, given->label_smoothing);
}

static void set_weights(limn_reward_weights *w, const limn_reward_weights *given)
{
    set_real(&w->object_cost, given->object_cost);
    set_real(&w->object_f1, given->object_f1);
    set_real(&w->person_f1, given->person_f1);
    set_real(&w->retrieval, given->retrieval);
    set_real(&w->repeat_cost, given->repeat_cost);
    set_real(&w->unsupported_cost, given->unsupported_cost);
}

limn_stage_settings limn_stage_settings_resolve(limn_stage stage, const limn_stage_settings *given)
{
    limn_stage_settings s = defaults[stage];
    set_count(&s.n_epochs, given->n_epochs);
    set_count(&s.n_images, given->n_images);
    set_count(&s.n_views, given->n_views);
    set_real(&s.rate, given->rate);
    set_real(&s.weight_decay, given->weight_decay);
    set_regularization(&s.regularization, &given->regularization);
    set_count(&s.end_to_end.n_parts, given->end_to_end.n_parts);
    set_real(&s.end_to_end.encoder_rate, given->end_to_end.encoder_rate);
    set_count(&s.reward.n_samples, given->reward.n_samples);
    set_real(&s.reward.cross_entropy_share, given->reward.cross_entropy_share);
    set_weights(&s.reward.weights, &given->reward.weights);
    return s;
}

bool limn_stage_settings_is_of_one_stage(const limn_stage_settings *given)
{
    const limn_regularization *r = &given->regularization;
    return given->n_epochs || given->n_images || given->reward.n_samples ||
           given->end_to_end.n_parts || !isnan(given->rate) ||
           !isnan(given->end_to_end.encoder_rate) || !isnan(r->dropout) ||
           !isnan(r->feature_dropout) || !isnan(r->image_dropout) || !isnan(r->label_smoothing);
}

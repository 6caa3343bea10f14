#include "models/train/training_settings.h"

limn_training_settings limn_training_settings_default(void)
{
    return (limn_training_settings){
        .images = { .dev_share = 0.05f },
        .unpaired = { .share = 0.45f },
        .words = { .min_count = 5, .max_words = 40 },
        .model = { .n_layers = 3, .dim = 384, .n_heads = 8 },
        .given = limn_stage_settings_unset(),
        .n_eval_epochs = 1,
        .seed = 1,
        .n_threads = 1,
    };
}

static limn_stage_settings resolve(limn_stage stage, const limn_training_settings *t)
{
    limn_stage_settings s = limn_stage_settings_resolve(stage, &t->given);
    if (t->images.features && stage != LIMN_STAGE_END_TO_END)
        s.n_views = 1; /* such a cache has only the whole images */
    return s;
}

size_t limn_training_stages(limn_stage_settings stages[LIMN_TRAINING_MAX_STAGES],
                            const limn_training_settings *t)
{
    static const limn_stage all[] = { LIMN_STAGE_FEATURES, LIMN_STAGE_END_TO_END,
                                      LIMN_STAGE_REWARD };
    const size_t n = t->stage ? 1 : sizeof all / sizeof *all;
    for (size_t i = 0; i < n; i++)
        stages[i] = resolve(t->stage ? (limn_stage)(t->stage - 1) : all[i], t);
    return n;
}

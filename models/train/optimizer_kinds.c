#include "models/train/optimizer_kinds.h"

#include <string.h>

#include "models/train/adamw.h"

static const limn_optimizer_kind *const kinds[] = { &limn_adamw };

const limn_optimizer_kind *limn_optimizer_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

limn_optimizer_settings limn_optimizer_settings_default(void)
{
    return (limn_optimizer_settings){ .kind = &limn_adamw,
                                      .beta1 = 0.9f,
                                      .beta2 = 0.999f,
                                      .epsilon = 1e-8f,
                                      .weight_decay = 0.01f,
                                      .clip_norm = 1.0f,
                                      .average_decay = 0.999f };
}

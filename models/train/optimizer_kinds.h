/* The available optimizers, by name. */
#ifndef LIMN_MODELS_TRAIN_OPTIMIZER_KINDS_H
#define LIMN_MODELS_TRAIN_OPTIMIZER_KINDS_H

#include "models/train/optimizer.h"

const limn_optimizer_kind *limn_optimizer_find(const char *name); /* NULL: there is none */

/* AdamW, with a weight decay of 0.01, clipping at 1 and an average decay of 0.999. */
limn_optimizer_settings limn_optimizer_settings_default(void);

#endif

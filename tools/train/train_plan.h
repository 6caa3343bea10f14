/* What a run would do: --plan. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_PLAN_H
#define LIMN_TOOLS_TRAIN_TRAIN_PLAN_H

#include "common/base/pool.h"
#include "models/train/training_data.h"

/* Prints images, captions, words, and for each stage steps, memory, and the
 * time that a few steps on empty images suggest. LIMN_E_NOMEM, LIMN_E_ARG. */
limn_status limn_train_plan_print(const limn_training_data *data, limn_pool *pool, limn_error *err);

#endif

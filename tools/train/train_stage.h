/* One stage of a run, from the model it begins with to the model it leaves. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_STAGE_H
#define LIMN_TOOLS_TRAIN_TRAIN_STAGE_H

#include "models/train/run.h"
#include "tools/train/train_data.h"
#include "tools/train/train_dev.h"

/* What all stages of a run share; borrowed. */
typedef struct limn_train_context {
    limn_train_data *data; /* with pictures */
    limn_run_folder *folder;
    const char *output; /* file of the best model, when done; NULL: none */
    const char *cache;  /* folder for views */
    const limn_train_dev *dev;
    limn_pool *pool;
    const char *fingerprint;
} limn_train_context;

/* Steps of a stage, without opening its pictures. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_train_stage_n_steps(uint64_t *n_steps, const limn_train_data *data,
                                     const limn_stage_settings *stage, limn_error *err);

/* Memory of a stage's trainer in bytes. */
limn_status limn_train_stage_bytes(size_t *bytes, const limn_train_data *data,
                                   const limn_stage_settings *stage, limn_error *err);

/* Seconds that a step takes, measured on two steps with empty pictures. */
limn_status limn_train_stage_step_seconds(double *seconds, const limn_train_data *data,
                                          const limn_stage_settings *stage, limn_pool *pool,
                                          limn_error *err);

/* Runs stage number `index` from `position` (at its beginning or within it),
 * with the model file `base` to begin with. Shows its progress on standard
 * error and keeps run.html. Errors of run.h. */
limn_status limn_train_stage_run(const limn_train_context *context,
                                 const limn_stage_settings *stage, size_t index,
                                 uint64_t first_step, const char *base, limn_run_position *position,
                                 limn_error *err);

#endif

/* One stage of a run, from the model it starts from to the model it produces. */
#ifndef LIMN_MODELS_TRAIN_STAGE_RUN_H
#define LIMN_MODELS_TRAIN_STAGE_RUN_H

#include "models/train/run.h"
#include "models/train/training_data.h"
#include "models/train/development.h"

/* What all stages of a run share; borrowed. */
typedef struct limn_training_context {
    limn_training_data *data; /* with images */
    limn_run_folder *folder;
    const char *output; /* file of the best model, when done; NULL: none */
    const char *cache;  /* folder for views */
    const limn_development *dev;
    limn_pool *pool;
    const char *fingerprint;
} limn_training_context;

/* Steps of a stage, without opening its images. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_stage_n_steps(uint64_t *n_steps, const limn_training_data *data,
                               const limn_stage_settings *stage, limn_error *err);

/* Memory of a stage's trainer in bytes. */
limn_status limn_stage_bytes(size_t *bytes, const limn_training_data *data,
                             const limn_stage_settings *stage, limn_error *err);

/* Seconds per step, measured on two steps with all-zero inputs. */
limn_status limn_stage_step_seconds(double *seconds, const limn_training_data *data,
                                    const limn_stage_settings *stage, limn_pool *pool,
                                    limn_error *err);

/* Runs stage number `index` from `position` (at its beginning or within it),
 * starting from the model file `base`. The listener is called after each step. Errors of run.h. */
limn_status limn_stage_run(const limn_training_context *context, const limn_stage_settings *stage,
                           size_t index, uint64_t first_step, const char *base,
                           limn_run_position *position, limn_error *err);

#endif

/* A run of limn-train, from its first stage, or where it was stopped, to its model. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_RUN_H
#define LIMN_TOOLS_TRAIN_TRAIN_RUN_H

#include "models/train/run_folder.h"
#include "tools/train/train_data.h"

/* Decodes the pictures, runs what is left of the stages, and writes the best model to `output`
 * (NULL: nowhere but to the folder).
 * `data` was read. Errors of the parts; LIMN_E_INTERRUPTED after a signal, when a checkpoint was
 * written. */
limn_status limn_train_run(limn_train_data *data, limn_run_folder *folder, const char *output,
                           limn_pool *pool, limn_error *err);

#endif

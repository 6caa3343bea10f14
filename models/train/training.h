/* A whole training, from its first stage, or where it was stopped, to its model. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_H
#define LIMN_MODELS_TRAIN_TRAINING_H

#include "models/train/run_folder.h"
#include "models/train/training_data.h"

/* Decodes the images, runs what is left of the stages, and writes the best model to `output`
 * (NULL: nowhere but to the folder). `data` has been read. Its listener is told of progress, and
 * may stop the run: LIMN_E_INTERRUPTED, after writing a checkpoint. Errors of the parts.
 *
 *     limn_training_settings settings = limn_training_settings_default();   // and paths set
 *     limn_training_data_read(&data, &settings, &captions, &listener, err);
 *     limn_run_folder_create(&folder, "run", err);                          // or _open: resumes
 *     limn_training_run(&data, folder, "model.safetensors", pool, err); */
limn_status limn_training_run(limn_training_data *data, limn_run_folder *folder, const char *output,
                              limn_pool *pool, limn_error *err);

#endif

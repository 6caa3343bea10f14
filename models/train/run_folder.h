/* The folder of a run: what a run writes so that it can be resumed and inspected.
 *
 *     run.json                 how the run was started; written once
 *     log.jsonl                one object a line, appended whole
 *     checkpoint-N.safetensors after step N; the last three
 *     best.safetensors         the model with the best development score
 *     base-K.safetensors       what stage K starts from: the best model before it
 *     features.json            checksums of the given features (limn-train --features)
 *     cache/                   images and features, which can be recreated
 *
 * Every file but the log is created by a rename, so that a kill at any moment leaves the last
 * good checkpoint; a torn last line of the log is cut off when the run resumes. One thread at a
 * time. */
#ifndef LIMN_MODELS_TRAIN_RUN_FOLDER_H
#define LIMN_MODELS_TRAIN_RUN_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "models/train/checkpoint.h"

typedef struct limn_run_folder limn_run_folder;

/* Makes the folder and its cache/; `path` may exist if it is empty, or holds only what a run leaves
 * that was killed before it wrote run.json (which is then removed). LIMN_E_ARG (it is not empty; if
 * it holds a run, the text says how to resume it), LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_run_folder_create(limn_run_folder **out, const char *path, limn_error *err);
/* Opens the folder of an earlier run, and removes what a kill left half written. LIMN_E_ARG when
 * there is no run.json in it. */
limn_status limn_run_folder_open(limn_run_folder **out, const char *path, limn_error *err);
void limn_run_folder_close(limn_run_folder **f); /* accepts NULL and *f == NULL; nulls it */

/* path/name in a buffer that belongs to the folder and is valid until the next call. "" when memory
 * is short, which is not a valid file name. */
const char *limn_run_folder_file(limn_run_folder *f, const char *name);

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* Writes checkpoint-STEP and then removes all but the last three. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_run_folder_save(limn_run_folder *f, uint64_t step, const limn_params *params,
                                 const limn_optimizer *optimizer, const char *state,
                                 limn_error *err);
/* The steps of the existing checkpoints, the newest first. Returns how many, at most `capacity`. */
size_t limn_run_folder_checkpoints(uint64_t *steps, size_t capacity, const limn_run_folder *f);
/* The training state (for the caller to free with limn_free()) of a checkpoint, before its tensors
 * are read. Errors as limn_checkpoint_read. */
limn_status limn_run_folder_state(char **state, limn_run_folder *f, uint64_t step, limn_error *err);
/* Reads a checkpoint. Errors as limn_checkpoint_read. */
limn_status limn_run_folder_load(limn_run_folder *f, uint64_t step, limn_params *params,
                                 limn_optimizer *optimizer, limn_error *err);

/* ---- the log --------------------------------------------------------------------------------- */

/* Appends one line, `object` without a newline. LIMN_E_IO. */
limn_status limn_run_folder_log(limn_run_folder *f, const char *object, limn_error *err);
/* Cuts off a torn last line and all from the first line on whose "step" is greater than `step`:
 * what will be written again. LIMN_E_IO, LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_run_folder_trim_log(limn_run_folder *f, uint64_t step, limn_error *err);

#endif

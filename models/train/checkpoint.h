/* Checkpoints: everything a run needs to resume bit for bit, in one safetensors file.
 *
 * Each parameter NAME has these tensors: value.NAME, average.NAME, and one for each state of the
 * optimizer, m.NAME and v.NAME for AdamW. The optimizer is named in the metadata; a file without a
 * name is AdamW's. The rest (step, seed, position in the data, scores) is small and goes as text
 * into the metadata. Files are written under a temporary name, synced and renamed, so that a kill
 * or a full disk leaves the previous checkpoint. */
#ifndef LIMN_MODELS_TRAIN_CHECKPOINT_H
#define LIMN_MODELS_TRAIN_CHECKPOINT_H

#include "common/base/params.h"
#include "models/train/optimizer.h"

/* `state` is the caller's text (JSON), kept as it is. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_checkpoint_write(const char *path, const limn_params *params,
                                  const limn_optimizer *optimizer, const char *state,
                                  limn_error *err);

/* Reads into `params` and `optimizer`, both already of the right layout. *state is for the caller
 * to free with limn_free(). LIMN_E_FORMAT names the tensor that is missing, of another shape, or
 * extra, or another optimizer; LIMN_E_IO, LIMN_E_TRUNCATED, LIMN_E_NOMEM. On failure both may be
 * partly overwritten. */
limn_status limn_checkpoint_read(const char *path, limn_params *params, limn_optimizer *optimizer,
                                 char **state, limn_error *err);
/* The text alone. LIMN_E_FORMAT, LIMN_E_IO, LIMN_E_TRUNCATED, LIMN_E_NOMEM. */
limn_status limn_checkpoint_read_state(const char *path, char **state, limn_error *err);

#endif

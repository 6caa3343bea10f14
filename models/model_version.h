/* The version of the model file's format (limn.version, models/FORMAT.md): a file has the lowest
 * one that supports what its model uses, so that an older program refuses only what it can't run. A
 * new version is a row here. */
#ifndef LIMN_MODELS_MODEL_VERSION_H
#define LIMN_MODELS_MODEL_VERSION_H

#include "common/base/status.h"
#include "models/model_file.h"

#define LIMN_VERSION_KEY "limn.version"
#define LIMN_CONFIG_KEY "limn.config"

/* The version of a file with this model; borrowed, static. `vocab` NULL for encoder-only. */
const char *limn_model_version_of(const limn_model_config *c, const limn_vocab *vocab);

/* LIMN_E_FORMAT for a file of another program, LIMN_E_UNSUPPORTED for a version (of the format or
 * of int8 quantisation) that this program doesn't know. */
limn_status limn_model_version_check(const limn_safetensors *tensors, limn_error *err);
/* LIMN_E_FORMAT for a file, checked as above and its configuration and vocabulary read, whose model
 * uses what its version does not have: an older program would ignore it. */
limn_status limn_model_version_check_uses(const limn_model_file *f, limn_error *err);

#endif

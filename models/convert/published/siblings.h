/* Names for what limn can't run, for messages: models of other tasks and families in the same kind
 * of folder, and other weight formats. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_SIBLINGS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_SIBLINGS_H

#include "common/base/status.h"

/* A description of a model_type or an architecture of config.json; NULL for an unknown one. */
const char *sibling_of_name(const char *name);
/* LIMN_E_UNSUPPORTED when a file's name or first bytes are those of another format of weights. */
limn_status sibling_check_file(const char *path, limn_error *err);
/* For a folder without readable weights: an error that names weights in other formats. */
limn_status sibling_fail_folder(const char *folder, limn_error *err);

#endif

/* What is no captioner that limn runs, said by name: other tasks and families in the same folders,
 * and other formats of weights. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_SIBLINGS_H
#define LIMN_MODELS_CONVERT_PUBLISHED_SIBLINGS_H

#include "common/base/status.h"

/* What a model_type or an architecture of config.json is; NULL for one that is not known. */
const char *sibling_of_name(const char *name);
/* LIMN_E_UNSUPPORTED when a file's name or first bytes are those of another format of weights. */
limn_status sibling_check_file(const char *path, limn_error *err);
/* Of a folder without weights that can be read: names those of other formats. */
limn_status sibling_fail_folder(const char *folder, limn_error *err);

#endif

/* limn-convert's way with captioners that others published. */
#ifndef LIMN_TOOLS_CONVERT_CONVERT_PUBLISHED_H
#define LIMN_TOOLS_CONVERT_CONVERT_PUBLISHED_H

#include "common/io/safetensors.h"

/* Converts `input`, a folder, or with `vocab` a checkpoint, to a model file; says what it made, and
 * what the user should know of it. Errors as published_open and published_write. */
limn_status convert_published(const char *output, const char *input, const char *vocab,
                              limn_tensor_dtype dtype, limn_error *err);

#endif

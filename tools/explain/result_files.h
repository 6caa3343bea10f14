/* Files that a run writes for each image, below a folder. */
#ifndef LIMN_TOOLS_EXPLAIN_RESULT_FILES_H
#define LIMN_TOOLS_EXPLAIN_RESULT_FILES_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/io/dirwalk.h"

/* Appends DIR/NAME: the name of an image that the user named, or its path below the folder (or in
 * the archive) that was. It never leads out of DIR: "..", "." and empty parts are left out. */
void limn_result_path_append(limn_buffer *out, const char *dir, const limn_dirwalk_entry *input);

/* Writes a new file, its folders too; behind the first `given` bytes of `path`, which the user
 * named, no link is followed (common/io/place.h). One that already exists is left as it is:
 * LIMN_E_IO, unless it holds these very bytes (the same run once more). Errors begin with the path;
 * LIMN_E_NOMEM. Any thread. */
limn_status limn_result_file_write(const char *path, size_t given, const limn_buffer *bytes,
                                   limn_error *err);

#endif

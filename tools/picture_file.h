/* Picture files: which of a folder's files they are, and their bytes. */
#ifndef LIMN_TOOLS_PICTURE_FILE_H
#define LIMN_TOOLS_PICTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

/* Reads the file at `path`; the caller frees `*bytes` with limn_free(). A file found in a folder
 * (`is_named` false) whose name does not end like a picture's and whose first bytes are no
 * picture's either is not read: `*bytes` is then NULL and the status LIMN_OK. The text of an error
 * does not repeat the path. LIMN_E_IO, LIMN_E_LIMIT (more than max_size bytes), LIMN_E_NOMEM. */
limn_status limn_picture_file_read(unsigned char **bytes, size_t *size, const char *path,
                                   bool is_named, size_t max_size, limn_error *err);

/* Whether `path` ends in .jpg, .jpeg, .png …, in any case. */
bool limn_picture_file_has_extension(const char *path);
/* Whether `size` bytes begin like a picture, of a kind that can be read or of another. */
bool limn_picture_file_has_magic(const unsigned char *bytes, size_t size);

#endif

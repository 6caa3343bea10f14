/* Image files: finding them among a folder's files, and reading them. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_IMAGE_FILE_H
#define LIMN_TOOLS_ANNOTATE_INPUT_IMAGE_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/dirwalk.h"

/* Whether to treat the file at `path` as an image: always if the user named it; if found in a
 * folder, when its extension or its first bytes are an image's. The text of an error does not
 * repeat the path. LIMN_E_IO. */
limn_status limn_image_file_is_image(bool *is_image, const char *path, bool is_named,
                                     limn_error *err);

/* The same for the member `input` at which `archive` is positioned: judged by its name or its first
 * bytes. LIMN_E_UNSUPPORTED: it is an archive itself; and what limn_archive_peek fails with. */
limn_status limn_image_member_is_image(bool *is_image, const limn_dirwalk_entry *input,
                                       limn_archive *archive, limn_error *err);

/* Whether the file at `path`, or the member at which `archive` (not NULL) is positioned, is of a
 * format that can be decoded here, by its first bytes; false when they can't be read. */
bool limn_image_file_can_be_decoded(const char *path, limn_archive *archive);
/* The same, given its first bytes [size], LIMN_IMAGE_PROBE_SIZE (common/image/format.h) or all
 * there are. */
bool limn_image_head_can_be_decoded(const unsigned char *bytes, size_t size);

/* All bytes of the file at `path`; the caller frees `*bytes` with limn_free(). The text of an error
 * does not repeat the path. A pipe is read until its end, unless it is silent for half a minute; a
 * device is refused. LIMN_E_IO (also when the file changes while it is read), LIMN_E_LIMIT (more
 * than max_size bytes; a regular file is then not read at all), LIMN_E_INTERRUPTED (a pipe, once
 * *is_stopping; NULL: never), LIMN_E_NOMEM. */
limn_status limn_image_file_read(unsigned char **bytes, size_t *size, const char *path,
                                 size_t max_size, const atomic_bool *is_stopping, limn_error *err);

/* Whether `path` ends in .jpg, .jpeg, .png …, in any case. */
bool limn_image_file_has_extension(const char *path);
/* Whether `size` bytes begin like an image, whether or not of a format that can be decoded. */
bool limn_image_file_has_magic(const unsigned char *bytes, size_t size);

/* Whether these bytes are the beginning of an image rather than of a list of names. */
bool limn_image_file_is_content(const unsigned char *bytes, size_t size);

#endif

/* One sidecar file: what is there, and putting new bytes in its place in one step. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"

#define LIMN_SIDECAR_MAX_SIZE ((size_t)16 << 20) /* bytes of one that is added to */

/* Looks at the sidecar `path` of the image `image` (NULL: a member of an archive): *is_there when
 * its image is to be skipped for it. LIMN_E_ARG when `existing` is LIMN_EXISTING_ERROR and it is
 * there, and when it is to be changed and is an image itself, a link or no regular file, or in a
 * folder that is reached by a link behind the first `given` bytes; LIMN_E_FORMAT when something is
 * to be added to it and it is no UTF-8 (a file of two encodings would be none); LIMN_E_IO, also
 * when it is not there and no file can be created there. */
limn_status limn_sidecar_look(bool *is_there, const char *path, size_t given, const char *image,
                              limn_existing existing, limn_error *err);

/* A sidecar that is about to be written. */
typedef struct limn_sidecar_file {
    char *image, *path;    /* owned */
    size_t given;          /* bytes of `path` that the user named (common/io/place.h) */
    limn_buffer bytes;     /* the new content */
    const char *separator; /* between what is there and the caption; NULL: a line each */
    struct stat before;    /* of what was there, when had_file */
    bool had_file;
} limn_sidecar_file;

/* Makes the new content of f->bytes, which is the caption's, and what is there. *is_left: something
 * appeared there that must be left alone. LIMN_E_IO, LIMN_E_LIMIT (LIMN_SIDECAR_MAX_SIZE),
 * LIMN_E_ARG as above, LIMN_E_NOMEM. Errors begin with the path. */
limn_status limn_sidecar_prepare(limn_sidecar_file *f, limn_existing existing, bool *is_left,
                                 limn_error *err);
/* Of the new content. */
uint64_t limn_sidecar_hash(const void *bytes, size_t size);
/* Writes the new content to the disk under a temporary name, and puts it in its place, unless that
 * changed since limn_sidecar_prepare: *is_left. Makes folders where they are missing. LIMN_E_IO,
 * LIMN_E_NOMEM; errors begin with the path. */
limn_status limn_sidecar_publish(limn_sidecar_file *f, bool *is_left, limn_error *err);
void limn_sidecar_file_finish(limn_sidecar_file *f);

/* After a kill: whether limn_sidecar_publish put content of this hash at `path`; what it left else
 * is removed. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_sidecar_settle(bool *is_published, const char *path, uint64_t hash,
                                limn_error *err);

#endif

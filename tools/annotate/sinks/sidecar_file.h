/* One sidecar file: checking an existing one, and replacing it atomically. Or the image itself, to
 * which a few splices are made. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/sinks/splice.h"

#define LIMN_SIDECAR_MAX_SIZE ((size_t)16 << 20) /* bytes of one that is added to */

/* Looks at the sidecar `path` of the image `image` (NULL: a member of an archive): *is_there when
 * it exists and so its image is to be skipped. LIMN_E_ARG when `existing` is LIMN_EXISTING_ERROR
 * and it exists, or when it would be changed but is itself an image, a link or not a regular file,
 * or is in a folder reached through a link after the first `given` bytes; LIMN_E_FORMAT when it
 * would be added to and is not UTF-8 (two encodings in one file would be unreadable); LIMN_E_IO,
 * also when it does not exist and can't be created. */
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
    bool is_image;        /* `path` is the image itself: its new content is the old one with */
    limn_splices splices; /* these, which have the hash `hash` */
    uint64_t hash;
    bool has_backup;  /* of an image: the old one stays, as NAME_original */
    limn_buffer undo; /* lines of undo_log.h that take the change back; empty: none are kept */
} limn_sidecar_file;

/* Another way to put captions into what is there than as lines of text (tools/annotate/xmp/). */
typedef struct limn_sidecar_merge {
    void *ctx;
    /* Whether the image of the sidecar `path`, which may be changed or made, is to be skipped
     * because of what it holds. Any thread. Errors begin with the path, also below. */
    limn_status (*look)(void *ctx, const char *path, bool *is_there, limn_error *err);
    /* Turns f->bytes, a record, into the new content (of an image: splices and hash), and fills
     * f->undo. *is_same:
     * that is what is there. f->had_file says whether there is anything. */
    limn_status (*make)(void *ctx, limn_sidecar_file *f, bool *is_same, limn_error *err);
} limn_sidecar_merge;

/* Makes the new content from f->bytes, the caption's, and the existing content. *is_left: a file
 * has appeared there that must be left alone. LIMN_E_IO, LIMN_E_LIMIT (LIMN_SIDECAR_MAX_SIZE),
 * LIMN_E_ARG as above, LIMN_E_NOMEM. Errors begin with the path. */
limn_status limn_sidecar_prepare(limn_sidecar_file *f, limn_existing existing, bool *is_left,
                                 limn_error *err);
/* The hash of content [size]; of one that is not in one piece, begin with LIMN_FNV1A64_INIT hashed
 * over the size_t that is its size. */
uint64_t limn_sidecar_hash(const void *bytes, size_t size);
/* That of the new content. */
uint64_t limn_sidecar_new_hash(const limn_sidecar_file *f);
/* Writes the new content to disk under a temporary name, and then puts it in place of what was
 * there, unless that has changed since limn_sidecar_prepare: *is_left. Makes missing folders.
 * LIMN_E_IO, with errno as the failed call left it; LIMN_E_ARG, LIMN_E_NOMEM; errors begin with the
 * path. */
limn_status limn_sidecar_publish(limn_sidecar_file *f, bool *is_left, limn_error *err);
/* Removes it, unless it has changed since limn_sidecar_prepare: *is_left. LIMN_E_IO, LIMN_E_NOMEM.
 */
limn_status limn_sidecar_remove(const limn_sidecar_file *f, bool *is_left, limn_error *err);
void limn_sidecar_file_finish(limn_sidecar_file *f);

/* Removes what a kill left beside `path` [given bytes that the user named] (own_files.h), but
 * nothing in a folder reached through a link after these. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_sidecar_clean(const char *path, size_t given, limn_error *err);
/* After a kill: whether limn_sidecar_publish put content of this hash at `path`; removes anything
 * else that it left, as limn_sidecar_clean does. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_sidecar_settle(bool *is_published, const char *path, size_t given, uint64_t hash,
                                limn_error *err);

#endif

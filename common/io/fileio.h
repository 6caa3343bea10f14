/* Files: read whole, and replaced in one step. Thread-safe: nothing is shared. */
#ifndef LIMN_COMMON_IO_FILEIO_H
#define LIMN_COMMON_IO_FILEIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* ---- reading ------------------------------------------------------------------------------
 *
 * Files are read and never mapped: where another program shortens a mapped file, looking at what is
 * gone raises SIGBUS. A regular file that is written to while it is read is an error (LIMN_E_IO).
 */

/* All bytes of a regular file. */
typedef struct limn_file_bytes {
    const unsigned char
        *bytes; /* [size], 64-byte aligned; not NULL after a successful read, even when empty */
    size_t size;
} limn_file_bytes;

/* Errors begin with the path. LIMN_E_IO (the text names errno; folders, pipes and devices are
 * refused), LIMN_E_LIMIT when the file has more than max_size bytes, LIMN_E_NOMEM. */
limn_status limn_file_bytes_read(limn_file_bytes *out, const char *path, size_t max_size,
                                 limn_error *err);
void limn_file_bytes_free(limn_file_bytes *file); /* accepts a zeroed struct; zeroes it */
/* The first bytes of a regular file, `*n` of them, `capacity` at most. Errors as above. */
limn_status limn_file_head(unsigned char *bytes, size_t *n, size_t capacity, const char *path,
                           limn_error *err);

/* A regular file that is open to be read in parts: its bytes are taken from the disk when they are
 * wanted. */
typedef struct limn_file_parts limn_file_parts;
/* Errors begin with the path. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_file_parts_open(limn_file_parts **out, const char *path, limn_error *err);
size_t limn_file_parts_size(const limn_file_parts *f); /* of the file when it was opened */
/* Bytes offset … offset + size - 1, which must be in the file. Re-entrant. LIMN_E_IO, also when the
 * file was written to since it was opened; the caller names the file. */
limn_status limn_file_parts_read(void *out, const limn_file_parts *f, size_t offset, size_t size,
                                 limn_error *err);
void limn_file_parts_close(limn_file_parts **f); /* accepts NULL and *f == NULL; nulls it */

/* All bytes of a file, or of a pipe or device until it ends, with a NUL after them that `*size`
 * does not count. The caller frees `*out` with limn_free(). Errors as above, LIMN_E_NOMEM. */
limn_status limn_file_read(unsigned char **out, size_t *size, const char *path, size_t max_size,
                           limn_error *err);
/* The same from an open descriptor, e.g. standard input; `name` begins the errors. */
limn_status limn_fd_read(unsigned char **out, size_t *size, int fd, const char *name,
                         size_t max_size, limn_error *err);

/* ---- writing ------------------------------------------------------------------------------
 *
 * Files are whole or not there: all are written under another name in the folder that they are
 * for, synced, and then given their own, by these steps.
 */

/* Opens the new file `name` of the open folder (AT_FDCWD: `name` is a path) with `flags` as of
 * open(2). What already exists, even a link, is left alone: -1 with errno EEXIST. */
int limn_file_create_new(int folder, const char *name, int flags);
/* All of the bytes, however many calls that takes. False with errno as write(2) leaves it. */
bool limn_fd_write(int fd, const void *bytes, size_t size);
/* Gives a synced file of the same folder the name `path`, in place of what has it, and syncs the
 * folder. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_file_take_name(const char *temporary, const char *path, limn_error *err);

/* ---- replacing ---------------------------------------------------------------------------- */

/* LIMN_E_IO by errno, which stays as it is, when `path` could not be created: names its folder
 * where that is what is missing. */
limn_status limn_file_fail_create(const char *path, limn_error *err);

/* A file under construction: it has a temporary name in the folder of `path` until
 * limn_file_writer_commit() has written it to disk and renamed it, so that `path` is at every
 * moment either the old file or the whole new one. One thread at a time. */
typedef struct limn_file_writer limn_file_writer;

/* The new file gets the mode of the one that it replaces. LIMN_E_IO when the folder can't be
 * written or when `path` exists but is not a regular file: a link is not followed
 * (common/io/place.h); LIMN_E_NOMEM. */
limn_status limn_file_writer_open(limn_file_writer **out, const char *path, limn_error *err);
/* The same for a path as the user gave it: a symbolic link is kept, and what it leads to is
 * replaced. */
limn_status limn_file_writer_open_given(limn_file_writer **out, const char *path, limn_error *err);
limn_status limn_file_writer_write(limn_file_writer *w, const void *bytes, size_t size,
                                   limn_error *err);
/* Overwrites `size` bytes at `offset`, all of which must have been written before; the next write
 * appends as if nothing had happened (headers whose counts are known at the end). */
limn_status limn_file_writer_patch(limn_file_writer *w, uint64_t offset, const void *bytes,
                                   size_t size, limn_error *err);
/* Flushes, syncs file and folder, renames. Nulls *w also on failure, when the temporary file is
 * removed and `path` is as it was. */
limn_status limn_file_writer_commit(limn_file_writer **w, limn_error *err);
/* Removes the temporary file. Accepts NULL and *w == NULL; nulls it. */
void limn_file_writer_discard(limn_file_writer **w);

/* Whether `name` (without a folder) is one that a writer gives to its temporary files, which a kill
 * may leave behind. */
bool limn_file_is_temporary(const char *name);

/* The file that `path` leads to, symbolic links followed; `path` itself when nothing is there yet.
 * The caller frees it with limn_free(). NULL when memory is short. */
char *limn_file_resolve(const char *path);

/* The three steps in one. */
limn_status limn_file_replace(const char *path, const void *bytes, size_t size, limn_error *err);
limn_status limn_file_replace_given(const char *path, const void *bytes, size_t size,
                                    limn_error *err);

/* Syncs the folder that `path` is in: only then is a rename, a creation or a removal durable.
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_folder_sync(const char *path, limn_error *err);

/* Creates the missing folders that contain `path`. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_folder_make_above(const char *path, limn_error *err);

/* ---- hashing ------------------------------------------------------------------------------ */

#define LIMN_FNV1A64_INIT UINT64_C(0xcbf29ce484222325)

/* 64-bit FNV-1a of the bytes, continuing from `hash` (LIMN_FNV1A64_INIT at first). About a
 * nanosecond per byte. Not cryptographic. */
uint64_t limn_fnv1a64(uint64_t hash, const void *bytes, size_t size);

#endif

/* Files: mapped, read whole, and replaced in one step. Thread-safe: nothing is shared. */
#ifndef LIMN_COMMON_IO_FILEIO_H
#define LIMN_COMMON_IO_FILEIO_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* ---- reading ------------------------------------------------------------------------------ */

/* A regular file mapped read-only. Another program that shortens the file meanwhile makes reads
 * past the new end raise SIGBUS: what is replaced should be replaced by rename, as below. */
typedef struct limn_file_map {
    const unsigned char *bytes; /* [size]; not NULL after a successful open, even when empty */
    size_t size;
} limn_file_map;

/* Errors begin with the path. LIMN_E_IO (the text names errno; folders, pipes and devices can't
 * be mapped), LIMN_E_LIMIT when the file has more than max_size bytes. */
limn_status limn_file_map_open(limn_file_map *out, const char *path, size_t max_size,
                               limn_error *err);
void limn_file_map_close(limn_file_map *map); /* accepts a zeroed struct; zeroes it */
/* Says that `size` bytes of a mapped file (and what shares pages with them) are not needed soon:
 * they no longer count as memory of this process, and come from the file again when read. */
void limn_file_map_forget(const void *bytes, size_t size);

/* All bytes of a file, or of a pipe or device until it ends, with a NUL after them that `*size`
 * does not count. The caller frees `*out` with limn_free(). Errors as above, LIMN_E_NOMEM. */
limn_status limn_file_read(unsigned char **out, size_t *size, const char *path, size_t max_size,
                           limn_error *err);
/* The same from an open descriptor, e.g. standard input; `name` begins the errors. */
limn_status limn_fd_read(unsigned char **out, size_t *size, int fd, const char *name,
                         size_t max_size, limn_error *err);

/* ---- replacing ---------------------------------------------------------------------------- */

/* A file under construction: it has a temporary name in the folder of `path` until
 * limn_file_writer_commit() has written it to disk and renamed it, so that `path` is at every
 * moment either the old file or the whole new one. One thread at a time. */
typedef struct limn_file_writer limn_file_writer;

/* The new file gets the mode of the one that it replaces; a symbolic link is kept, and what it
 * points to is replaced. LIMN_E_IO when the folder can't be written or when `path` is there but
 * no regular file; LIMN_E_NOMEM. */
limn_status limn_file_writer_open(limn_file_writer **out, const char *path, limn_error *err);
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

/* The file that `path` leads to, symbolic links followed; `path` itself when nothing is there yet.
 * The caller frees it with limn_free(). NULL when memory is short. */
char *limn_file_resolve(const char *path);

/* The three steps in one. */
limn_status limn_file_replace(const char *path, const void *bytes, size_t size, limn_error *err);

/* Syncs the folder that `path` is in: only then is a rename, or that a file came to be or went, on
 * the disk. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_folder_sync(const char *path, limn_error *err);

/* ---- hashing ------------------------------------------------------------------------------ */

#define LIMN_FNV1A64_INIT UINT64_C(0xcbf29ce484222325)

/* 64-bit FNV-1a of the bytes, continuing from `hash` (LIMN_FNV1A64_INIT at first). About a
 * nanosecond a byte. Not a defence against anyone. */
uint64_t limn_fnv1a64(uint64_t hash, const void *bytes, size_t size);

#endif

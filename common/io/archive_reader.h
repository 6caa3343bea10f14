/* Members of an archive, one after the other, with bounded memory: tar, also gzipped, and zip.
 *
 *     limn_archive *a;
 *     limn_archive_member m;
 *     limn_archive_open(&a, "shard.tar", &err);
 *     while (limn_archive_next(a, &m, &err) == LIMN_OK && m.name)
 *         limn_archive_read(a, &bytes, &size, 1 << 20, &err);
 *     limn_archive_close(&a);
 *
 * Members come in the archive's order. Nothing is ever written to a member's path. Only one block
 * of the file, the current member, and the directory of a zip are in memory. A compressed archive
 * that expands beyond LIMN_ARCHIVE_MAX_EXPANSION fails with LIMN_E_LIMIT. One thread at a time. */
#ifndef LIMN_COMMON_IO_ARCHIVE_READER_H
#define LIMN_COMMON_IO_ARCHIVE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_ARCHIVE_MAX_NAME 65536 /* bytes of a member's name */
/* Bytes that may come out of an archive: FREE, and MAX for each byte of the archive besides. */
#define LIMN_ARCHIVE_MAX_EXPANSION 200
#define LIMN_ARCHIVE_FREE_EXPANSION ((uint64_t)64 << 20)

typedef struct limn_archive limn_archive;

typedef enum limn_archive_kind {
    LIMN_ARCHIVE_FILE = 0,
    LIMN_ARCHIVE_LINK,    /* symbolic, or hard: to another member */
    LIMN_ARCHIVE_SPECIAL, /* a device, pipe or socket */
} limn_archive_kind;

typedef struct limn_archive_member {
    const char *name; /* relative, without "." and ".."; valid until the next call; NULL at the
                       * end and when the archive as a whole failed */
    const char *given_name; /* as the archive has it; valid as long */
    limn_archive_kind kind;
} limn_archive_member;

/* Whether `path` has the extension of a supported archive: .tar, .tar.gz, .tgz or .zip, in any
 * case. */
bool limn_archive_has_name(const char *path);

/* Texts do not repeat the path. LIMN_E_IO, LIMN_E_NOMEM, LIMN_E_TRUNCATED (an empty file),
 * LIMN_E_FORMAT (no archive, whatever its name says). */
limn_status limn_archive_open(limn_archive **out, const char *path, limn_error *err);
/* The same over bytes [size], which are borrowed until it is closed. */
limn_status limn_archive_open_memory(limn_archive **out, const void *bytes, size_t size,
                                     limn_error *err);
void limn_archive_close(limn_archive **a); /* accepts NULL and *a == NULL; nulls it */

/* Moves to the next member that is not a folder, skipping what was not read of the last one. A
 * failure with a name costs that member only (LIMN_E_FORMAT: the name is absolute, leads out of the
 * archive, or is empty; LIMN_E_LIMIT: it is longer than LIMN_ARCHIVE_MAX_NAME); out->name is then
 * as the archive has it, up to that length. A failure without a name is the archive's, and there
 * is nothing more after it: LIMN_E_FORMAT, LIMN_E_TRUNCATED (also a tar without its end mark),
 * LIMN_E_LIMIT, LIMN_E_IO, LIMN_E_NOMEM. A failure that ends the archive in the middle of a member
 * is both: first the member's, when it is read, then the archive's. */
limn_status limn_archive_next(limn_archive *a, limn_archive_member *out, limn_error *err);

/* The first bytes of the member, up to `room`; limn_archive_read begins with them nonetheless.
 * Errors as below. */
limn_status limn_archive_peek(limn_archive *a, unsigned char *bytes, size_t room, size_t *size,
                              limn_error *err);
/* All bytes of the member, once; the caller frees `*bytes` with limn_free(). LIMN_E_UNSUPPORTED
 * (no file, encrypted, sparse, compressed in a way that is not known), LIMN_E_LIMIT (more than
 * max_size bytes), LIMN_E_TRUNCATED, LIMN_E_FORMAT (damaged, a wrong checksum), LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_archive_read(limn_archive *a, unsigned char **bytes, size_t *size, size_t max_size,
                              limn_error *err);

/* Where the member ends, with its padding, in a tar that is (or was before gzip) as long as that.
 * What was not read yet is skipped. LIMN_E_TRUNCATED, LIMN_E_FORMAT, LIMN_E_LIMIT, LIMN_E_IO. */
limn_status limn_archive_end_of_member(limn_archive *a, uint64_t *end, limn_error *err);

/* Whether skipping members requires decompressing them. */
bool limn_archive_is_compressed(const limn_archive *a);

#endif

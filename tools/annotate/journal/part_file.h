/* A file under construction that an interrupted run can resume: PATH.part until it is complete.
 *
 * At any moment PATH is either the old file or the complete new one. One thread at a time. Errors
 * begin with the name of the file that they are about. */
#ifndef LIMN_TOOLS_ANNOTATE_JOURNAL_PART_FILE_H
#define LIMN_TOOLS_ANNOTATE_JOURNAL_PART_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

typedef struct limn_part_file {
    char *path, *part_path; /* owned */
    int fd;                 /* of PATH.part; meaningful while part_path is set */
    uint64_t size;          /* bytes in it */
    bool has_base;          /* PATH was there, and its beginning was copied */
    int64_t base[3];        /* its size, and its modification time in seconds and nanoseconds */
} limn_part_file;           /* zero-initialise */

/* A new file, empty, or beginning with the first `n_bytes` of PATH when that is there. An existing
 * PATH.part is replaced: the caller must check first. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_part_file_create(limn_part_file *f, const char *path, uint64_t n_bytes,
                                  limn_error *err);
/* Reopens PATH.part as it was when limn_part_file_append_state wrote `state`: what came after is
 * cut off. LIMN_E_FORMAT (no such state), LIMN_E_IO (also when the file is gone, or shorter than
 * that). */
limn_status limn_part_file_resume(limn_part_file *f, const char *path, const char *state,
                                  limn_error *err);
/* Numbers with spaces between them; no line end. */
void limn_part_file_append_state(const limn_part_file *f, limn_buffer *state);

/* Writes all of it or, on failure, nothing. LIMN_E_IO. */
limn_status limn_part_file_write(limn_part_file *f, const char *bytes, size_t size,
                                 limn_error *err);
limn_status limn_part_file_sync(limn_part_file *f, limn_error *err); /* to the disk; LIMN_E_IO */

/* Gives the file its final name and closes it. LIMN_E_IO, also when PATH was changed in the
 * meantime: then PATH.part stays. */
limn_status limn_part_file_commit(limn_part_file *f, limn_error *err);
/* Completes a commit that was killed midway, if it had not happened yet; `f` is not open.
 * LIMN_E_IO. */
limn_status limn_part_file_recommit(limn_part_file *f, const char *path, const char *state,
                                    limn_error *err);
void limn_part_file_close(limn_part_file *f);  /* leaves PATH.part; accepts a zeroed one */
void limn_part_file_remove(limn_part_file *f); /* removes it and closes */

#endif

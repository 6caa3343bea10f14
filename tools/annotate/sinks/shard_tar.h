/* A copy of a tar with captions: every member is copied byte for byte, and after each image come
 * members NAME.EXT with its captions. The tar is read a second time, in parallel with the
 * pipeline, so that none of it is kept in memory. One thread at a time. Errors begin with the path
 * of the file that they are about. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SHARD_TAR_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SHARD_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "tools/annotate/journal/part_file.h"

typedef struct limn_shard_tar limn_shard_tar;

/* `endings` [n_endings], such as "txt", are borrowed: an ending that is or ends in "json" gets the
 * record as JSON, any other the captions, one a line. To resume, pass the `n_members` and
 * `position` that limn_shard_tar_position gave. LIMN_E_IO, LIMN_E_NOMEM, and what limn_archive_next
 * fails with. */
limn_status limn_shard_tar_open(limn_shard_tar **out, const char *path, const char *const *endings,
                                size_t n_endings, size_t n_members, uint64_t position,
                                limn_error *err);
void limn_shard_tar_close(limn_shard_tar **t); /* accepts NULL and *t == NULL; nulls it */

/* Copies to `out` everything up to and including the member `name` (as in limn_archive_member),
 * then adds the captions of `record`, a line of JSON; NULL: none, the image failed. tar_plan.h has
 * made sure that no name occurs twice. LIMN_E_FORMAT when there is no such member any more. */
limn_status limn_shard_tar_add(limn_shard_tar *t, limn_part_file *out, const char *name,
                               const char *record, size_t record_size, limn_error *err);
/* Copies the rest. */
limn_status limn_shard_tar_finish(limn_shard_tar *t, limn_part_file *out, limn_error *err);

/* Progress: members passed, and bytes of the uncompressed tar copied. */
void limn_shard_tar_position(const limn_shard_tar *t, size_t *n_members, uint64_t *position);

#endif

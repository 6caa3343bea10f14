/* .limn-undo, a hidden file in each folder where files were changed: what they were before, so that
 * the changes can be taken back. It is only ever added to, and on disk before a file changes.
 *
 *     limn-undo 1
 *     NAME  HASH  KIND  AT:SIZE:BYTES AT:SIZE:BYTES …
 *
 * with tabs between. The file of the hash HASH (limn_sidecar_hash) becomes the one before when the
 * SIZE bytes at AT give way to BYTES, in hexadecimal digits. KIND is "old", or "new" if there was
 * no file before. Of a file that was changed twice there are two lines, the later one below. A line
 * that a kill cut off, or whose change was not made, matches no file. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_UNDO_LOG_H
#define LIMN_TOOLS_ANNOTATE_SINKS_UNDO_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/annotate/sinks/splice.h"

#define LIMN_UNDO_LOG_NAME ".limn-undo"

typedef struct limn_undo_record {
    const char *name;
    uint64_t hash;
    bool was_there;
    const char *edits; /* for limn_undo_record_splices */
} limn_undo_record;

typedef struct limn_undo_log {
    limn_undo_record *records; /* [n_records], the oldest first; they point into `text` */
    size_t n_records, capacity;
    limn_buffer text;
} limn_undo_log; /* zero-initialise */

/* Appends the line that takes back the splices of the file `name`, whose bytes before are `old`;
 * `hash` is that of the file after. A failure shows in out->has_failed. */
void limn_undo_line(limn_buffer *out, const char *name, uint64_t hash, bool was_there,
                    const limn_splices *splices, const uint8_t *old);
/* Adds lines to the log of the folder that the file `path` [given] (common/io/place.h) is in, and
 * syncs it. LIMN_E_IO, LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_undo_log_append(const char *path, size_t given, const limn_buffer *lines,
                                 limn_error *err);

/* Reads the log of the folder that `path` is in; without one there are no records. LIMN_E_IO,
 * LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_undo_log_read(limn_undo_log *out, const char *path, limn_error *err);
void limn_undo_log_finish(limn_undo_log *log); /* accepts a zeroed one; zeroes it */
/* The splices of a file of `size` bytes that give the one before. LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status limn_undo_record_splices(limn_splices *out, const limn_undo_record *record, size_t size,
                                     limn_error *err);

#endif

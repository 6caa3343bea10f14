/* The folders that an undo comes through: their logs, and which of the files in these are settled,
 * so that a log can go once all are. One thread at a time. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_UNDO_FOLDERS_H
#define LIMN_TOOLS_ANNOTATE_XMP_UNDO_FOLDERS_H

#include "tools/annotate/sinks/undo_log.h"

/* A folder with a log. */
typedef struct undo_folder {
    char *log_path;
    size_t log_size;  /* bytes, when it was read */
    uint64_t *names;  /* [n_names] hashes of the names in the log, sorted */
    bool *is_settled; /* [n_names] */
    size_t n_names;
} undo_folder;

typedef struct undo_folders {
    undo_folder *items; /* [n_items] */
    size_t n_items, capacity;
    char *current;     /* the folder of `log`, with a slash or empty; NULL: none yet */
    undo_folder *open; /* that folder; NULL: it has no log */
    limn_undo_log log;
} undo_folders; /* zero-initialise */

/* The log of the folder that `path` is in, valid until the next call. Errors as
 * limn_undo_log_read. */
limn_status undo_folders_enter(undo_folders *f, const char *path, const limn_undo_log **log,
                               limn_error *err);
/* Whether the log has a record of the file. */
bool undo_folders_has(const limn_undo_log *log, const char *path);
/* The file, in the folder entered last, is as it was before limn. */
void undo_folders_settle(undo_folders *f, const char *path);
/* Removes the logs whose files are all settled, or gone. LIMN_E_IO, LIMN_E_NOMEM. */
limn_status undo_folders_clean(undo_folders *f, limn_error *err);
void undo_folders_finish(undo_folders *f);

#endif

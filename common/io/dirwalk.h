/* Expands the user's arguments (files, folders, archives, and lists of them on a descriptor) into
 * files.
 *
 * A folder gives its entries in byte-wise order of their names, folders below (when asked for) at
 * their place. Hidden entries (".x") and what is neither file nor folder are left out of folders,
 * never when named. Symbolic links are followed; a folder that is its own ancestor is entered once.
 * A path that is named twice comes twice. Paths are bytes, built from what the user wrote. Only
 * the names of the folders on the way to the current file are held. One thread at a time.
 *
 * An archive (common/io/archive_reader.h) is, where asked for, a folder whose entries are
 * ARCHIVE/MEMBER in the order that they have in it; it is recognised by its name. */
#ifndef LIMN_COMMON_IO_DIRWALK_H
#define LIMN_COMMON_IO_DIRWALK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "common/io/archive_reader.h"

typedef struct limn_dirwalk limn_dirwalk;

typedef enum limn_dirwalk_kind {
    LIMN_DIRWALK_FILE,
    LIMN_DIRWALK_FOLDER, /* inside a folder */
    /* such a folder that could not be read: whether the failure is to come out */
    LIMN_DIRWALK_UNREADABLE,
} limn_dirwalk_kind;

typedef struct limn_dirwalk_settings {
    bool is_recursive;   /* go into folders inside folders */
    bool has_archives;   /* go into archives; into those inside folders when is_recursive */
    int list_fd;         /* the name "-" stands for the list read here; -1: "-" is a name */
    char list_separator; /* '\n' or '\0'; empty entries are left out */
    /* NULL, or whether the descriptor gives a file itself, not a list of names, by its first bytes:
     * then that file comes out, named "-". */
    bool (*is_content)(const unsigned char *head, size_t size);
    int wake_fd; /* -1, or waiting for the list ends when this becomes readable */
    /* NULL, or whether to look at something, by its `relative` below. Not asked for what is hidden
     * or special. */
    bool (*accepts)(const void *ctx, const char *relative, limn_dirwalk_kind kind);
    const void *accepts_ctx;
} limn_dirwalk_settings;

typedef struct limn_dirwalk_entry {
    const char *path;      /* valid until the next call; NULL at the end */
    const char *relative;  /* the end of `path`: below the folder that was named; all of it for a
                            * file that was */
    bool is_named;         /* by the user or a list, not found in a folder */
    size_t archive_size;   /* bytes of `path` that are the archive whose member it is; 0: none */
    size_t archive_number; /* that archive's among those entered, from 1; 0: none */
    bool is_link;          /* a member that is a link to another file */
    bool is_stream;        /* list_fd's own content: limn_dirwalk_read_stream */
} limn_dirwalk_entry;

/* What was left out. */
typedef struct limn_dirwalk_counts {
    size_t n_hidden;
    size_t n_folders;  /* below a folder, without is_recursive */
    size_t n_loops;    /* folders that are their own ancestors */
    size_t n_special;  /* sockets, pipes, devices */
    size_t n_archives; /* below a folder, without is_recursive */
    size_t n_refused;  /* files and folders that `accepts` refused; files inside don't count */
    size_t n_lost; /* folders, archives and lists that failed: what else is in them is unknown */
} limn_dirwalk_counts;

/* names [n_names] is borrowed until the walk is destroyed. LIMN_E_NOMEM. */
limn_status limn_dirwalk_create(limn_dirwalk **out, char *const *names, size_t n_names,
                                const limn_dirwalk_settings *settings, limn_error *err);
void limn_dirwalk_destroy(limn_dirwalk **w); /* accepts NULL and *w == NULL; nulls it */

/* The next file, or out->path NULL at the end. After a failure, out->path is what failed, the text
 * does not repeat it, and the walk may go on: LIMN_E_IO (not there, folder or list unreadable),
 * LIMN_E_LIMIT (a list entry over LIMN_LIST_MAX_PATH of list_reader.h), LIMN_E_FORMAT (a NUL in a
 * list of lines), what limn_archive_open and limn_archive_next fail with, LIMN_E_INTERRUPTED
 * (wake_fd), LIMN_E_NOMEM: after these two the walk is at its end. A named file is returned even
 * if it doesn't exist: opening it reports that. */
limn_status limn_dirwalk_next(limn_dirwalk *w, limn_dirwalk_entry *out, limn_error *err);

/* The archive that stands at the member that came out last, which may be read until the next call;
 * NULL when a file did. */
limn_archive *limn_dirwalk_archive(const limn_dirwalk *w);

/* All bytes of the entry that came out last and is_stream, before the next call; the caller frees
 * `*bytes` with limn_free(). LIMN_E_LIMIT (more than max_size bytes), LIMN_E_IO,
 * LIMN_E_INTERRUPTED, LIMN_E_NOMEM. */
limn_status limn_dirwalk_read_stream(limn_dirwalk *w, unsigned char **bytes, size_t *size,
                                     size_t max_size, limn_error *err);

limn_dirwalk_counts limn_dirwalk_get_counts(const limn_dirwalk *w);

#endif

/* The files that limn makes beside one that it replaces, and what becomes of them after a kill.
 *
 * New content is written to one of them, `written`. A second name is made for it, `displaced`, and
 * exchanged with the file, so that what was there can be looked at: another program may have
 * changed it at the last moment, and then it gets its name back. While both names exist, `written`
 * tells which file is limn's. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_OWN_FILES_H
#define LIMN_TOOLS_ANNOTATE_SINKS_OWN_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/io/place.h"

/* Derived from the file's name, so that they are found after a kill. */
typedef struct limn_own_names {
    char written[32], displaced[32];
} limn_own_names;

limn_own_names limn_own_names_of(const char *name);

/* Lets one process at a time write into a folder, since two would use the same names; until the
 * place is closed. A file system without locks is not an error. */
void limn_own_files_lock(const limn_place *p);
/* Removes one of them, and leaves errno as it is. */
void limn_own_files_discard(const limn_place *p, const char *own);
/* renameat2(2), where there is one, of `own` to the file, which must not exist, or be exchanged. */
bool limn_own_files_rename(const limn_place *p, const char *own, bool exchanges);

/* Whether the second name of the file at `p` is one that a kill has left. */
bool limn_own_files_has_name_of(const limn_place *p, const struct stat *st);
/* Why the file at `p` is not written to if it is a link, or has further names that aren't limn's;
 * NULL: neither. */
const char *limn_own_files_link_reason(const limn_place *p, const struct stat *st);
/* Removes what a kill left in a locked folder. A file that it displaced gets its name back, unless
 * a newer one has come there. False, with errno: it can't, and is kept; EBUSY: limn's version was
 * changed since, or an older file has come there, so that both are kept. */
bool limn_own_files_clean(const limn_place *p);

#endif

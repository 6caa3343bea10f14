/* Files that are written under names which nobody chose: beside a user's file, or below a folder
 * that he named. What somebody planted there — a link in place of the file, or of a folder on the
 * way — is never followed: else whoever made a data set could have this program write elsewhere. */
#ifndef LIMN_COMMON_IO_PLACE_H
#define LIMN_COMMON_IO_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

/* Opens the regular file `path`, whose folder the user named: with O_NOFOLLOW, and no second name
 * (a hard link) may lead to it. `flags` as of open(2). LIMN_E_IO with errno as open(2) leaves it
 * (ENOENT without O_CREAT), LIMN_E_ARG: it is a link, or no regular file. Errors begin with the
 * path. */
limn_status limn_file_open_own(int *fd, const char *path, int flags, limn_error *err);

/* Whether something is at `path` that is not a regular file, or a link: not to be taken for one's
 * own. False when nothing is there. */
bool limn_file_is_foreign(const char *path);

/* Makes a folder where there is none. What is there must be a folder; of one that the user named
 * (`is_given`), a link to one will do. LIMN_E_IO, LIMN_E_ARG. */
limn_status limn_folder_make(const char *path, bool is_given, limn_error *err);

/* The folder of a file, open, and the file's name in it: for openat(2), renameat(2) and the like.
 */
typedef struct limn_place {
    int folder;       /* -1: not open */
    const char *name; /* the end of the path that it was made from */
} limn_place;

/* The place of the file `path` [given bytes that the user named, up to and with a slash; 0: the
 * current folder]. Links are followed in these bytes, and refused after them. Folders that are
 * missing are made when `makes`, else the result is LIMN_E_IO with errno ENOENT. LIMN_E_ARG: there
 * is a link, or no folder, on the way; LIMN_E_IO, LIMN_E_NOMEM. Errors begin with a path. */
limn_status limn_place_open(limn_place *out, const char *path, size_t given, bool makes,
                            limn_error *err);
void limn_place_close(limn_place *p); /* accepts one that is not open */

#endif

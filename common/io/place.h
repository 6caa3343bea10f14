/* Files whose names the program chooses, next to a user's file or below a folder the user named. A
 * link planted in place of the file, or of a folder on the way, is never followed: otherwise the
 * author of a data set could make this program write elsewhere. */
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

/* Whether `path` exists but is a link or not a regular file, so that it can't be our own. */
bool limn_file_is_foreign(const char *path);

/* Creates a folder if there is none. An existing path must be a folder; if the user named it
 * (`is_given`), a link to one is allowed. LIMN_E_IO, LIMN_E_ARG. */
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

/* Rewriting an image file with a few splices: all else about it stays as it is, its times, mode,
 * owner and extended attributes too. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_PHOTO_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_PHOTO_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/io/place.h"
#include "tools/annotate/sinks/splice.h"

/* Looks whether the image `path` [given bytes that the user named (common/io/place.h)] can be
 * replaced by another file like it. LIMN_E_ARG: it is no regular file, a link (a hard one too,
 * except of its own backup), or is reached through one, it is read-only, or belongs to somebody
 * else; LIMN_E_IO, LIMN_E_NOMEM. Errors begin with the path. */
limn_status limn_photo_check(struct stat *st, const char *path, size_t given, limn_error *err);

/* Gives the new file `to` the owner, attributes and mode of the file at `p`, but not its times.
 * False: not all of them could be given. */
bool limn_photo_take_attributes(int to, const limn_place *p, const struct stat *st);

/* Writes the image at `p`, which is called `path` in errors, with the splices into the new file
 * `fd`, and gives that the attributes. LIMN_E_IO: also when it is no longer as in `before`;
 * LIMN_E_NOMEM. */
limn_status limn_photo_copy(int fd, const limn_place *p, const char *path,
                            const struct stat *before, const limn_splices *splices,
                            limn_error *err);

/* Keeps the image at `p` under the name NAME_original too, unless that name is taken: an earlier
 * backup is closer to the original. Uses `temporary` where there are no hard links. LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_photo_back_up(const limn_place *p, const char *path, const char *temporary,
                               const struct stat *before, limn_error *err);

#endif

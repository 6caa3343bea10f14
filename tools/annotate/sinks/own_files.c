#define _GNU_SOURCE /* renameat2 */

#include "tools/annotate/sinks/own_files.h"
#include "tools/annotate/sinks/same_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/io/fileio.h"

limn_own_names limn_own_names_of(const char *name)
{
    const uint64_t hash = limn_fnv1a64(LIMN_FNV1A64_INIT, name, strlen(name));
    limn_own_names names;
    snprintf(names.written, sizeof names.written, ".limn-%016" PRIx64 ".tmp", hash);
    snprintf(names.displaced, sizeof names.displaced, ".limn-%016" PRIx64 ".old", hash);
    return names;
}

void limn_own_files_lock(const limn_place *p)
{
    while (flock(p->folder, LOCK_EX) && errno == EINTR) continue;
}

void limn_own_files_discard(const limn_place *p, const char *own)
{
    const int cause = errno;
    unlinkat(p->folder, own, 0);
    errno = cause;
}

bool limn_own_files_rename(const limn_place *p, const char *own, bool exchanges)
{
#if defined(RENAME_EXCHANGE)
    return !renameat2(p->folder, own, p->folder, p->name,
                      exchanges ? RENAME_EXCHANGE : RENAME_NOREPLACE);
#else
    (void)p;
    (void)own;
    (void)exchanges;
    errno = ENOSYS;
    return false;
#endif
}

/* ---- after a kill ------------------------------------------------------------------------- */

static bool look(const limn_place *p, const char *name, struct stat *st)
{
    return !fstatat(p->folder, name, st, AT_SYMLINK_NOFOLLOW);
}

bool limn_own_files_has_name_of(const limn_place *p, const struct stat *st)
{
    const limn_own_names names = limn_own_names_of(p->name);
    struct stat written;
    return st->st_nlink == 2 && look(p, names.written, &written) && is_same_file(&written, st);
}

const char *limn_own_files_link_reason(const limn_place *p, const struct stat *st)
{
    if (S_ISLNK(st->st_mode)) return "is a symbolic link, which limn does not write through";
    if (S_ISREG(st->st_mode) && st->st_nlink > 1 && !limn_own_files_has_name_of(p, st))
        return "has several names (hard links), which would become different files";
    return NULL;
}

/* Takes an exchange back. What it displaced may be another program's; if not, the same will be
 * written again. What was written after the exchange (which changed the displaced file last) must
 * not be lost. Nor may a displaced file be lost that is newer than another program's file now in
 * its place. In both cases: EBUSY, and both stay. */
static bool give_back(const limn_place *p, const limn_own_names *names, const struct stat *written,
                      const struct stat *displaced)
{
    struct stat now;
    if (!look(p, p->name, &now))
        return errno == ENOENT && limn_own_files_rename(p, names->displaced, false);
    const bool is_own = is_same_file(&now, written);
    if (!is_own && !is_later(&displaced->st_mtim, &now.st_mtim)) return true;
    if (is_own && !is_later(&now.st_mtim, &displaced->st_ctim))
        return limn_own_files_rename(p, names->displaced, true);
    errno = EBUSY;
    return false;
}

bool limn_own_files_clean(const limn_place *p)
{
    const limn_own_names names = limn_own_names_of(p->name);
    struct stat written, displaced;
    const bool has_written = look(p, names.written, &written);
    if (has_written && look(p, names.displaced, &displaced)) {
        if (!is_same_file(&written, &displaced) && !give_back(p, &names, &written, &displaced))
            return false;
        unlinkat(p->folder, names.displaced, 0);
    }
    if (has_written) unlinkat(p->folder, names.written, 0);
    return true;
}

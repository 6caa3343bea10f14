#include "common/io/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

static limn_status fail_errno(limn_error *err, const char *path)
{
    const int reason = errno;
    limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(reason));
    errno = reason;
    return LIMN_E_IO;
}

static limn_status fail_link(limn_error *err, const char *path)
{
    return limn_fail(err, LIMN_E_ARG, "%s: is a symbolic link, which limn does not write through",
                     path);
}

/* ---- beside a file -------------------------------------------------------------------------- */

limn_status limn_file_open_own(int *fd, const char *path, int flags, limn_error *err)
{
    struct stat st;
    limn_status s = LIMN_OK;
    *fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (*fd < 0 && errno == ELOOP) return fail_link(err, path);
    if (*fd < 0) return flags & O_CREAT ? limn_file_fail_create(path, err) : fail_errno(err, path);
    if (fstat(*fd, &st))
        s = fail_errno(err, path);
    else if (!S_ISREG(st.st_mode))
        s = limn_fail(err, LIMN_E_ARG, "%s: is not a regular file", path);
    else if (st.st_nlink > 1)
        s = fail_link(err, path);
    if (s == LIMN_OK) return LIMN_OK;
    close(*fd);
    *fd = -1;
    return s;
}

bool limn_file_is_foreign(const char *path)
{
    struct stat st;
    return !lstat(path, &st) && (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

limn_status limn_folder_make(const char *path, bool is_given, limn_error *err)
{
    struct stat st;
    if (!mkdir(path, 0777)) return LIMN_OK;
    if (errno != EEXIST)
        return limn_fail(err, LIMN_E_IO, "%s: can't make the folder: %s", path, strerror(errno));
    if (is_given ? stat(path, &st) : lstat(path, &st)) return fail_errno(err, path);
    if (S_ISLNK(st.st_mode)) return fail_link(err, path);
    return S_ISDIR(st.st_mode) ? LIMN_OK : limn_fail(err, LIMN_E_ARG, "%s: is not a folder", path);
}

/* ---- below a folder ------------------------------------------------------------------------- */

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

/* The user's part, made where it is missing. `path` is written to meanwhile. */
static limn_status open_given(int *fd, char *path, size_t given, bool makes, limn_error *err)
{
    const char kept = path[given];
    limn_status s = LIMN_OK;
    path[given] = '\0';
    *fd = open(given ? path : ".", FOLDER);
    for (size_t i = 1; *fd < 0 && errno == ENOENT && makes && i <= given && s == LIMN_OK; i++) {
        const char end = path[i];
        if (end && end != '/') continue;
        path[i] = '\0';
        s = limn_folder_make(path, true, err);
        path[i] = end;
        if (s == LIMN_OK) *fd = open(path, FOLDER);
    }
    if (s == LIMN_OK && *fd < 0) s = fail_errno(err, given ? path : ".");
    path[given] = kept;
    return s;
}

/* From the folder *fd into its folder `name`; `path` ends there. */
static limn_status enter(int *fd, const char *name, const char *path, bool makes, limn_error *err)
{
    struct stat st;
    int next = openat(*fd, name, FOLDER | O_NOFOLLOW);
    if (next < 0 && errno == ENOENT && makes) {
        if (!mkdirat(*fd, name, 0777)) (void)fsync(*fd); /* where folders can't be synced */
        next = openat(*fd, name, FOLDER | O_NOFOLLOW);
    }
    if (next < 0) {
        const int reason = errno;
        if (!fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
            return fail_link(err, path);
        errno = reason;
        return fail_errno(err, path);
    }
    close(*fd);
    *fd = next;
    return LIMN_OK;
}

static limn_status open_below(int *fd, char *path, size_t given, bool makes, limn_error *err)
{
    char *name = path + given, *slash;
    LIMN_TRY(open_given(fd, path, given, makes, err));
    for (; (slash = strchr(name, '/')); name = slash + 1) {
        limn_status s = LIMN_OK;
        *slash = '\0';
        if (*name) s = enter(fd, name, path, makes, err);
        *slash = '/';
        LIMN_TRY(s);
    }
    return LIMN_OK;
}

limn_status limn_place_open(limn_place *out, const char *path, size_t given, bool makes,
                            limn_error *err)
{
    const char *slash = strrchr(path, '/');
    char *copy = limn_strdup(path);
    *out = (limn_place){ -1, slash ? slash + 1 : path };
    if (!copy) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const limn_status s = open_below(&out->folder, copy, given, makes, err);
    if (s != LIMN_OK) {
        const int reason = errno;
        limn_place_close(out);
        errno = reason;
    }
    limn_free(copy);
    return s;
}

void limn_place_close(limn_place *p)
{
    if (p->folder >= 0) close(p->folder);
    p->folder = -1;
}

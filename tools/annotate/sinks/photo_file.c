#define _GNU_SOURCE /* flistxattr */

#include "tools/annotate/sinks/photo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/xattr.h>
#endif

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "tools/annotate/pipeline.h"
#include "tools/annotate/sinks/own_files.h"
#include "tools/annotate/sinks/same_file.h"

#define BACKUP "_original" /* as exiftool calls it */

static limn_status fail_errno(limn_error *err, const char *path)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
}

/* ---- before ------------------------------------------------------------------------------- */

static char *backup_name(const limn_place *p)
{
    const size_t size = strlen(p->name);
    char *name = limn_alloc(size + sizeof BACKUP, 1);
    if (name) snprintf(name, size + sizeof BACKUP, "%s" BACKUP, p->name);
    return name;
}

/* Whether the second name of an image is that of its backup, as a kill may leave it. */
static bool is_backed_up(const limn_place *p, const struct stat *st)
{
    struct stat backup;
    char *name = backup_name(p);
    const bool is = name && st->st_nlink == 2 &&
                    !fstatat(p->folder, name, &backup, AT_SYMLINK_NOFOLLOW) &&
                    is_same_file(&backup, st);
    limn_free(name);
    return is;
}

/* Whether a new file may be given this group. */
static bool is_own_group(gid_t group)
{
    const int n = getgroups(0, NULL);
    gid_t *groups = n > 0 ? limn_calloc((size_t)n, sizeof *groups) : NULL;
    const int n_got = groups ? getgroups(n, groups) : 0;
    bool is_own = group == getegid();
    for (int i = 0; i < n_got && !is_own; i++) is_own = groups[i] == group;
    limn_free(groups);
    return is_own;
}

static limn_status check_at(const limn_place *p, struct stat *st, const char *path, limn_error *err)
{
    if (fstatat(p->folder, p->name, st, AT_SYMLINK_NOFOLLOW)) return fail_errno(err, path);
    const char *reason = is_backed_up(p, st) ? NULL : limn_own_files_link_reason(p, st);
    if (reason)
        ; /* that one */
    else if (!S_ISREG(st->st_mode))
        reason = "is not a regular file";
    else if (!(st->st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        reason = "is read-only";
    else if (geteuid() && st->st_uid != geteuid())
        reason = "belongs to another user";
    else if (geteuid() && !is_own_group(st->st_gid))
        reason = "belongs to a group that you are not in";
    else if (faccessat(p->folder, p->name, W_OK, 0))
        reason = "can't be written to"; /* immutable, for one */
    if (reason) return limn_fail(err, LIMN_E_ARG, "%s: %s; use --sidecar=xmp", path, reason);
    return faccessat(p->folder, ".", W_OK | X_OK, 0) ? fail_errno(err, path) : LIMN_OK;
}

limn_status limn_photo_check(struct stat *st, const char *path, size_t given, limn_error *err)
{
    limn_place place;
    LIMN_TRY(limn_place_open(&place, path, given, false, err));
    const limn_status s = check_at(&place, st, path, err);
    limn_place_close(&place);
    return s;
}

/* ---- attributes --------------------------------------------------------------------------- */

#if defined(__linux__)
/* One attribute. Only the user's own must come along. */
static bool copy_attribute(int to, int from, const char *name)
{
    const ssize_t size = fgetxattr(from, name, NULL, 0);
    char *value = size < 0 ? NULL : limn_alloc((size_t)size + 1, 1);
    const ssize_t n = value ? fgetxattr(from, name, value, (size_t)size) : -1;
    const bool is_copied = n >= 0 && !fsetxattr(to, name, value, (size_t)n, 0);
    limn_free(value);
    return is_copied || strncmp(name, "user.", 5) != 0;
}

static bool copy_attributes(int to, int from)
{
    const ssize_t size = flistxattr(from, NULL, 0);
    char *names = size > 0 ? limn_alloc((size_t)size, 1) : NULL;
    const ssize_t n = names ? flistxattr(from, names, (size_t)size) : 0;
    bool is_done = size <= 0 || n > 0;
    for (ssize_t i = 0; is_done && i < n; i += (ssize_t)strlen(names + i) + 1)
        is_done = copy_attribute(to, from, names + i);
    limn_free(names);
    return is_done;
}
#else
static bool copy_attributes(int to, int from)
{
    (void)to;
    (void)from;
    return true;
}
#endif

/* Owner first, since changing it may take bits of the mode away; times last. */
static bool set_attributes(int to, int from, const struct stat *st)
{
    const struct timespec times[] = { st->st_atim, st->st_mtim };
    struct stat now;
    if (fstat(to, &now)) return false;
    if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) &&
        fchown(to, st->st_uid, st->st_gid))
        return false;
    return copy_attributes(to, from) && !fchmod(to, st->st_mode & 07777) && !futimens(to, times);
}

bool limn_photo_take_attributes(int to, const limn_place *p, const struct stat *st)
{
    const int from = openat(p->folder, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat now;
    bool is_done = from >= 0 && !fstat(to, &now);
    if (is_done && (now.st_uid != st->st_uid || now.st_gid != st->st_gid))
        is_done = !fchown(to, st->st_uid, st->st_gid);
    is_done = is_done && copy_attributes(to, from) && !fchmod(to, st->st_mode & 07777);
    if (from >= 0) close(from);
    return is_done;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The image, open, and its bytes. */
typedef struct photo {
    int fd;
    unsigned char *bytes;
    size_t size;
} photo;

static void close_photo(photo *f)
{
    limn_free(f->bytes);
    if (f->fd >= 0) close(f->fd);
}

static limn_status open_photo(photo *f, const limn_place *p, const char *path,
                              const struct stat *before, limn_error *err)
{
    struct stat st;
    *f =
        (photo){ .fd = openat(p->folder, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) };
    if (f->fd < 0 || fstat(f->fd, &st)) return fail_errno(err, path);
    LIMN_TRY(limn_fd_read(&f->bytes, &f->size, f->fd, path, LIMN_PIPELINE_MAX_FILE_SIZE, err));
    if (is_same_file(&st, before) && f->size == (size_t)before->st_size) return LIMN_OK;
    return limn_fail(err, LIMN_E_IO, "%s: has changed in the meantime", path);
}

static limn_status put(void *ctx, const void *bytes, size_t size)
{
    return !size || limn_fd_write(*(const int *)ctx, bytes, size) ? LIMN_OK : LIMN_E_IO;
}

limn_status limn_photo_copy(int fd, const limn_place *p, const char *path,
                            const struct stat *before, const limn_splices *splices, limn_error *err)
{
    photo f;
    limn_status s = open_photo(&f, p, path, before, err);
    if (s == LIMN_OK && limn_splices_apply(splices, f.bytes, f.size, put, &fd) != LIMN_OK)
        s = fail_errno(err, path);
    if (s == LIMN_OK && !set_attributes(fd, f.fd, before))
        s = limn_fail(err, LIMN_E_IO, "%s: its owner, mode, times or attributes can't be kept: %s",
                      path, strerror(errno));
    close_photo(&f);
    return s;
}

/* ---- backups ------------------------------------------------------------------------------ */

/* Where there are no hard links. */
static limn_status copy_to(const limn_place *p, const char *name, const char *path,
                           const char *temporary, const struct stat *before, limn_error *err)
{
    const limn_splices none = { 0 };
    limn_status s;
    unlinkat(p->folder, temporary, 0);
    const int fd = limn_file_create_new(p->folder, temporary, O_WRONLY);
    if (fd < 0) return fail_errno(err, path);
    s = limn_photo_copy(fd, p, path, before, &none, err);
    if (s == LIMN_OK && fsync(fd)) s = fail_errno(err, path);
    if (close(fd) && s == LIMN_OK) s = fail_errno(err, path);
    if (s == LIMN_OK && renameat(p->folder, temporary, p->folder, name)) s = fail_errno(err, path);
    if (s != LIMN_OK) unlinkat(p->folder, temporary, 0);
    return s;
}

limn_status limn_photo_back_up(const limn_place *p, const char *path, const char *temporary,
                               const struct stat *before, limn_error *err)
{
    char *name = backup_name(p);
    struct stat st;
    limn_status s = LIMN_OK;
    if (!name) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (linkat(p->folder, p->name, p->folder, name, 0) &&
        fstatat(p->folder, name, &st, AT_SYMLINK_NOFOLLOW))
        s = copy_to(p, name, path, temporary, before, err);
    limn_free(name);
    return s;
}

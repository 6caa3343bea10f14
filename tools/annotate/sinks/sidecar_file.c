#include "tools/annotate/sinks/sidecar_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/io/fileio.h"
#include "tools/annotate/input/picture_file.h"
#include "tools/annotate/input/path_names.h"

const char *const limn_existing_names[] = {
    "skip", "overwrite", "append", "prepend", "error", NULL
};

static limn_status fail_errno(limn_error *err, const char *path)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
}

/* "FOLDER/" of a path, or "." */
static char *folder_of(const char *path)
{
    const size_t size = limn_path_folder_size(path);
    return size ? limn_strndup(path, size) : limn_strdup(".");
}

/* ---- what is there ---------------------------------------------------------------------- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_picture(const char *path)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0) close(fd);
    return n > 0 && limn_picture_file_has_magic(head, (size_t)n);
}

/* What stands at `path`, which is to be changed. */
static limn_status check_changeable(const char *path, const struct stat *st, const char *picture,
                                    limn_error *err)
{
    struct stat of_picture;
    if (!S_ISREG(st->st_mode)) return limn_fail(err, LIMN_E_ARG, "%s: is no regular file", path);
    if ((picture && !stat(picture, &of_picture) && is_same_file(st, &of_picture)) ||
        is_picture(path))
        return limn_fail(err, LIMN_E_ARG, "%s: is a picture itself, and is not written over", path);
    return LIMN_OK;
}

/* Whether a file can come to be at `path`; folders that are missing are made later. */
static limn_status check_folder(const char *path, limn_error *err)
{
    char *folder = folder_of(path);
    limn_status s = LIMN_OK;
    if (!folder) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (access(folder, W_OK | X_OK) && errno != ENOENT) s = fail_errno(err, folder);
    limn_free(folder);
    return s;
}

/* What is added to is read first. */
static limn_status check_readable(const char *path, const struct stat *st, limn_error *err)
{
    if (st->st_size > (off_t)LIMN_SIDECAR_MAX_SIZE)
        return limn_fail(err, LIMN_E_LIMIT, "%s: has %lld bytes, more than the limit of %zu", path,
                         (long long)st->st_size, LIMN_SIDECAR_MAX_SIZE);
    return access(path, R_OK) ? fail_errno(err, path) : LIMN_OK;
}

limn_status limn_sidecar_look(bool *is_there, const char *path, const char *picture,
                              limn_existing existing, limn_error *err)
{
    struct stat st;
    *is_there = !lstat(path, &st);
    if (!*is_there && errno != ENOENT) return fail_errno(err, path);
    if (!*is_there) return check_folder(path, err);
    if (existing == LIMN_EXISTING_SKIP) return LIMN_OK;
    if (existing == LIMN_EXISTING_ERROR)
        return limn_fail(err, LIMN_E_ARG, "%s: is there already", path);
    *is_there = false; /* it does not stand in the way */
    if (stat(path, &st)) return fail_errno(err, path);
    LIMN_TRY(check_changeable(path, &st, picture, err));
    if (existing != LIMN_EXISTING_OVERWRITE) LIMN_TRY(check_readable(path, &st, err));
    return check_folder(path, err);
}

/* ---- new content ------------------------------------------------------------------------ */

static limn_status read_old(limn_buffer *out, const char *path, limn_error *err)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    LIMN_TRY(limn_file_read(&bytes, &size, path, LIMN_SIDECAR_MAX_SIZE, err));
    limn_buffer_append(out, bytes, size);
    limn_free(bytes);
    return LIMN_OK;
}

/* What was there, and after it the new lines. */
static limn_status append_to_old(limn_sidecar_file *f, limn_error *err)
{
    limn_buffer whole = { 0 };
    const limn_status s = read_old(&whole, f->path, err);
    if (whole.size && whole.bytes[whole.size - 1] != '\n') limn_buffer_append_text(&whole, "\n");
    limn_buffer_append(&whole, f->bytes.bytes, f->bytes.size);
    limn_buffer_finish(&f->bytes);
    f->bytes = whole;
    return s;
}

limn_status limn_sidecar_prepare(limn_sidecar_file *f, limn_existing existing, bool *is_left,
                                 limn_error *err)
{
    limn_status s = LIMN_OK;
    char *resolved = limn_file_resolve(f->path);
    *is_left = false;
    if (!resolved) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    limn_free(f->path);
    f->path = resolved;
    f->had_file = !stat(f->path, &f->before);
    if (!f->had_file)
        return errno == ENOENT || errno == ENOTDIR ? LIMN_OK : fail_errno(err, f->path);
    *is_left = existing == LIMN_EXISTING_SKIP || existing == LIMN_EXISTING_ERROR;
    if (*is_left) return LIMN_OK;
    LIMN_TRY(check_changeable(f->path, &f->before, f->picture, err));
    if (existing == LIMN_EXISTING_APPEND)
        s = append_to_old(f, err);
    else if (existing == LIMN_EXISTING_PREPEND)
        s = read_old(&f->bytes, f->path, err);
    if (s == LIMN_OK && f->bytes.has_failed) s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return s;
}

uint64_t limn_sidecar_hash(const void *bytes, size_t size)
{
    return limn_fnv1a64(limn_fnv1a64(LIMN_FNV1A64_INIT, &size, sizeof size), bytes, size);
}

/* ---- into its place --------------------------------------------------------------------- */

/* A name in the same folder that follows from the sidecar's, so that it is found after a kill. */
static char *temporary_path(const char *path)
{
    const size_t folder = limn_path_folder_size(path), capacity = folder + 32;
    char *out = limn_alloc(capacity, 1);
    const char *name = path + folder;
    if (!out) return NULL;
    memcpy(out, path, folder);
    snprintf(out + folder, capacity - folder, ".limn-%016" PRIx64 ".tmp",
             limn_fnv1a64(LIMN_FNV1A64_INIT, name, strlen(name)));
    return out;
}

limn_status limn_sidecar_make_folders(char *path, limn_error *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        limn_status s = LIMN_OK;
        *slash = '\0';
        if (!mkdir(path, 0777))
            s = limn_folder_sync(path, err);
        else if (errno != EEXIST)
            s = fail_errno(err, path);
        *slash = '/';
        LIMN_TRY(s);
    }
    return LIMN_OK;
}

static limn_status open_temporary(int *fd, limn_sidecar_file *f, const char *path, limn_error *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    unlink(path);
    *fd = open(path, flags, 0666);
    if (*fd < 0 && errno == ENOENT) {
        LIMN_TRY(limn_sidecar_make_folders(f->path, err));
        *fd = open(path, flags, 0666);
    }
    return *fd < 0 ? fail_errno(err, f->path) : LIMN_OK;
}

static limn_status write_temporary(limn_sidecar_file *f, const char *path, limn_error *err)
{
    size_t n_written = 0;
    int fd;
    LIMN_TRY(open_temporary(&fd, f, path, err));
    if (f->had_file) (void)fchmod(fd, f->before.st_mode & 07777);
    while (n_written < f->bytes.size) {
        const ssize_t n = write(fd, f->bytes.bytes + n_written, f->bytes.size - n_written);
        if (n < 0 && errno != EINTR) break;
        n_written += n > 0 ? (size_t)n : 0;
    }
    if (n_written == f->bytes.size && !fsync(fd))
        return close(fd) ? fail_errno(err, f->path) : LIMN_OK;
    fail_errno(err, f->path);
    close(fd);
    unlink(path);
    return LIMN_E_IO;
}

/* The new name must not be taken. A file system without links is no failure. */
static limn_status publish_new(const char *temporary, const char *path, bool *is_left,
                               limn_error *err)
{
    struct stat st;
    if (!link(temporary, path)) {
        unlink(temporary);
        return LIMN_OK;
    }
    *is_left = errno == EEXIST || !lstat(path, &st);
    if (*is_left) {
        unlink(temporary);
        return LIMN_OK;
    }
    return rename(temporary, path) ? fail_errno(err, path) : LIMN_OK;
}

static bool is_unchanged(const limn_sidecar_file *f)
{
    struct stat now;
    return !stat(f->path, &now) && is_same_file(&now, &f->before) &&
           now.st_size == f->before.st_size &&
           !memcmp(&now.st_mtim, &f->before.st_mtim, sizeof now.st_mtim);
}

static limn_status publish_over(const limn_sidecar_file *f, const char *temporary, bool *is_left,
                                limn_error *err)
{
    *is_left = !is_unchanged(f);
    if (*is_left)
        unlink(temporary);
    else if (rename(temporary, f->path))
        return fail_errno(err, f->path);
    return LIMN_OK;
}

limn_status limn_sidecar_publish(limn_sidecar_file *f, bool *is_left, limn_error *err)
{
    char *temporary = temporary_path(f->path);
    limn_status s;
    *is_left = false;
    if (!temporary) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    s = write_temporary(f, temporary, err);
    if (s == LIMN_OK)
        s = f->had_file ? publish_over(f, temporary, is_left, err)
                        : publish_new(temporary, f->path, is_left, err);
    limn_free(temporary);
    return s;
}

void limn_sidecar_file_finish(limn_sidecar_file *f)
{
    limn_free(f->picture);
    limn_free(f->path);
    limn_buffer_finish(&f->bytes);
    *f = (limn_sidecar_file){ 0 };
}

/* ---- after a kill ----------------------------------------------------------------------- */

limn_status limn_sidecar_settle(bool *is_published, const char *path, uint64_t hash,
                                limn_error *err)
{
    char *temporary = temporary_path(path);
    unsigned char *bytes = NULL;
    size_t size = 0;
    limn_status s = LIMN_OK;
    struct stat st;
    *is_published = false;
    if (!temporary) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    unlink(temporary);
    limn_free(temporary);
    if (stat(path, &st) || !S_ISREG(st.st_mode)) return LIMN_OK;
    s = limn_file_read(&bytes, &size, path, SIZE_MAX / 4, err);
    if (s == LIMN_OK) *is_published = limn_sidecar_hash(bytes, size) == hash;
    limn_free(bytes);
    return s;
}

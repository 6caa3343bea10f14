#include "tools/annotate/journal/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/place.h"

static limn_status fail_errno(limn_error *err, const char *path)
{
    return limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(errno));
}

static limn_status set_paths(limn_part_file *f, const char *path, limn_error *err)
{
    const size_t size = strlen(path) + sizeof ".part";
    *f = (limn_part_file){ .fd = -1, .path = limn_strdup(path), .part_path = limn_alloc(size, 1) };
    if (!f->path || !f->part_path) {
        limn_part_file_close(f);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    snprintf(f->part_path, size, "%s.part", path);
    return LIMN_OK;
}

void limn_part_file_close(limn_part_file *f)
{
    if (f->part_path && f->fd >= 0) close(f->fd);
    limn_free(f->path);
    limn_free(f->part_path);
    *f = (limn_part_file){ 0 };
}

void limn_part_file_remove(limn_part_file *f)
{
    if (f->part_path) unlink(f->part_path);
    limn_part_file_close(f);
}

/* ---- beginning -------------------------------------------------------------------------- */

static void note_base(limn_part_file *f, const struct stat *st)
{
    f->has_base = true;
    f->base[0] = (int64_t)st->st_size;
    f->base[1] = (int64_t)st->st_mtim.tv_sec;
    f->base[2] = (int64_t)st->st_mtim.tv_nsec;
}

/* Copies from the open `fd`, whose name is f->path. */
static limn_status copy(limn_part_file *f, int fd, uint64_t n_bytes, limn_error *err)
{
    char block[1 << 16];
    while (f->size < n_bytes) {
        const uint64_t left = n_bytes - f->size;
        const ssize_t n = read(fd, block, left < sizeof block ? (size_t)left : sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(err, f->path);
        if (n == 0) return limn_fail(err, LIMN_E_IO, "%s: was truncated in the meantime", f->path);
        LIMN_TRY(limn_part_file_write(f, block, (size_t)n, err));
    }
    return LIMN_OK;
}

static limn_status copy_base(limn_part_file *f, uint64_t n_bytes, limn_error *err)
{
    struct stat st;
    limn_status s = LIMN_OK;
    const int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !n_bytes) return LIMN_OK;
    if (fd < 0 || fstat(fd, &st)) s = fail_errno(err, f->path);
    if (s == LIMN_OK) {
        note_base(f, &st);
        (void)fchmod(f->fd, st.st_mode & 07777); /* a file system without modes is not an error */
        s = copy(f, fd, n_bytes, err);
    }
    if (fd >= 0) close(fd);
    return s;
}

limn_status limn_part_file_create(limn_part_file *f, const char *path, uint64_t n_bytes,
                                  limn_error *err)
{
    limn_status s;
    LIMN_TRY(set_paths(f, path, err));
    unlink(f->part_path);
    f->fd = limn_file_create_new(AT_FDCWD, f->part_path, O_WRONLY);
    s = f->fd < 0 ? limn_file_fail_create(f->part_path, err) : copy_base(f, n_bytes, err);
    if (s != LIMN_OK && f->fd >= 0)
        limn_part_file_remove(f);
    else if (s != LIMN_OK)
        limn_part_file_close(f);
    return s;
}

void limn_part_file_append_state(const limn_part_file *f, limn_buffer *state)
{
    limn_buffer_printf(state, "%" PRIu64 " %d %" PRId64 " %" PRId64 " %" PRId64, f->size,
                       f->has_base, f->base[0], f->base[1], f->base[2]);
}

static bool read_state(limn_part_file *f, const char *state)
{
    int has_base = 0, end = 0;
    const int n = sscanf(state, "%" SCNu64 " %d %" SCNd64 " %" SCNd64 " %" SCNd64 "%n", &f->size,
                         &has_base, &f->base[0], &f->base[1], &f->base[2], &end);
    f->has_base = has_base != 0;
    return n == 5 && !state[end];
}

static limn_status open_part(limn_part_file *f, limn_error *err)
{
    struct stat st;
    LIMN_TRY(limn_file_open_own(&f->fd, f->part_path, O_WRONLY, err));
    if (fstat(f->fd, &st)) return fail_errno(err, f->part_path);
    if ((uint64_t)st.st_size < f->size)
        return limn_fail(err, LIMN_E_IO, "%s: has %lld bytes, but %" PRIu64 " were written",
                         f->part_path, (long long)st.st_size, f->size);
    if (ftruncate(f->fd, (off_t)f->size) || lseek(f->fd, 0, SEEK_END) < 0)
        return fail_errno(err, f->part_path);
    return LIMN_OK;
}

limn_status limn_part_file_resume(limn_part_file *f, const char *path, const char *state,
                                  limn_error *err)
{
    limn_status s;
    LIMN_TRY(set_paths(f, path, err));
    s = read_state(f, state)
            ? open_part(f, err)
            : limn_fail(err, LIMN_E_FORMAT, "'%s' is not the state of a file", state);
    if (s != LIMN_OK) limn_part_file_close(f);
    return s;
}

/* ---- writing ---------------------------------------------------------------------------- */

limn_status limn_part_file_write(limn_part_file *f, const char *bytes, size_t size, limn_error *err)
{
    if (limn_fd_write(f->fd, bytes, size)) {
        f->size += size;
        return LIMN_OK;
    }
    fail_errno(err, f->part_path);
    if (ftruncate(f->fd, (off_t)f->size) || lseek(f->fd, 0, SEEK_END) < 0)
        limn_error_prefix(err, "can't be cut back to whole lines");
    return LIMN_E_IO;
}

limn_status limn_part_file_sync(limn_part_file *f, limn_error *err)
{
    return fsync(f->fd) ? fail_errno(err, f->part_path) : LIMN_OK;
}

/* ---- the end ---------------------------------------------------------------------------- */

/* Whether PATH is unchanged since the file was begun. */
static bool is_base_unchanged(const limn_part_file *f)
{
    limn_part_file now = { 0 };
    struct stat st;
    if (stat(f->path, &st)) return !f->has_base && errno == ENOENT;
    note_base(&now, &st);
    return f->has_base && !memcmp(now.base, f->base, sizeof now.base);
}

static limn_status rename_part(const limn_part_file *f, limn_error *err)
{
    if (!is_base_unchanged(f))
        return limn_fail(err, LIMN_E_IO, "%s: %s in the meantime; the results are in %s", f->path,
                         f->has_base ? "was changed" : "was created", f->part_path);
    if (limn_file_is_foreign(f->part_path))
        return limn_fail(err, LIMN_E_IO, "%s: is a link or not a regular file", f->part_path);
    return limn_file_take_name(f->part_path, f->path, err);
}

limn_status limn_part_file_commit(limn_part_file *f, limn_error *err)
{
    limn_status s = limn_part_file_sync(f, err);
    if (s == LIMN_OK) s = rename_part(f, err);
    limn_part_file_close(f);
    return s;
}

limn_status limn_part_file_recommit(limn_part_file *f, const char *path, const char *state,
                                    limn_error *err)
{
    limn_status s = LIMN_OK;
    LIMN_TRY(set_paths(f, path, err));
    if (!read_state(f, state))
        s = limn_fail(err, LIMN_E_FORMAT, "'%s' is not the state of a file", state);
    else if (!access(f->part_path, F_OK))
        s = rename_part(f, err);
    limn_part_file_close(f);
    return s;
}

#define _XOPEN_SOURCE 700 /* realpath() */

#include "common/io/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/text/path.h"

static limn_status fail_errno(limn_error *err, const char *path, const char *what)
{
    const int code = errno;
    char text[128];
    if (strerror_r(code, text, sizeof text) != 0)
        return limn_fail(err, LIMN_E_IO, "%s: %s: error %d", path, what, code);
    return limn_fail(err, LIMN_E_IO, "%s: %s: %s", path, what, text);
}

/* O_NONBLOCK so that a pipe without a writer does not hang the open. */
static limn_status open_input(int *fd, struct stat *st, const char *path, limn_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0) return fail_errno(err, path, "can't open");
    if (fstat(*fd, st) == 0 && !S_ISDIR(st->st_mode)) return LIMN_OK;
    limn_status s = S_ISDIR(st->st_mode) ? limn_fail(err, LIMN_E_IO, "%s: is a folder", path)
                                         : fail_errno(err, path, "can't inspect");
    close(*fd);
    return s;
}

static limn_status fail_size(limn_error *err, const char *path, uint64_t size, size_t max_size)
{
    return limn_fail(err, LIMN_E_LIMIT, "%s: has %llu bytes, more than the limit of %zu", path,
                     (unsigned long long)size, max_size);
}

/* One read of at most `room` bytes: how many came, 0 at the end, -1 with errno. */
static ssize_t read_some(int fd, unsigned char *bytes, size_t room)
{
    ssize_t n;
    do n = read(fd, bytes, room);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Room for at least one byte more (and the NUL), doubling. */
static bool grow(unsigned char **bytes, size_t *capacity)
{
    size_t wanted;
    if (!limn_size_mul(&wanted, *capacity, 2)) return false;
    unsigned char *grown = limn_realloc(*bytes, wanted, 1);
    if (!grown) return false;
    *bytes = grown;
    *capacity = wanted;
    return true;
}

/* `expected` is the size that the file has now; more or fewer bytes may come. */
static limn_status read_all(unsigned char **out, size_t *size, int fd, const char *name,
                            size_t expected, size_t max_size, limn_error *err)
{
    limn_status s = LIMN_OK;
    size_t used = 0, capacity = (expected < max_size ? expected : 0) + 4096;
    unsigned char *bytes = limn_alloc(capacity, 1);
    if (!bytes) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory for its bytes", name);
    for (;;) {
        if (used + 1 >= capacity && !grow(&bytes, &capacity)) {
            s = limn_fail(err, LIMN_E_NOMEM, "%s: out of memory for its bytes", name);
            goto done;
        }
        const ssize_t n = read_some(fd, bytes + used, capacity - 1 - used);
        if (n < 0) {
            s = fail_errno(err, name, "can't read");
            goto done;
        }
        if (n == 0) break;
        used += (size_t)n;
        if (used > max_size) {
            s = limn_fail(err, LIMN_E_LIMIT, "%s: has more than the limit of %zu bytes", name,
                          max_size);
            goto done;
        }
    }
    bytes[used] = '\0';
    *out = bytes;
    *size = used;
    bytes = NULL;
done:
    limn_free(bytes);
    return s;
}

/* Whether the file was written to since `before`. */
static bool has_changed(int fd, const struct stat *before)
{
    struct stat now;
    return fstat(fd, &now) || now.st_size != before->st_size ||
           memcmp(&now.st_mtim, &before->st_mtim, sizeof now.st_mtim) != 0;
}

static limn_status check_unchanged(int fd, const struct stat *before, const char *path,
                                   limn_error *err)
{
    if (!S_ISREG(before->st_mode) || !has_changed(fd, before)) return LIMN_OK;
    return limn_fail(err, LIMN_E_IO, "%s: was written to while it was read", path);
}

/* `size` bytes; *n_read fewer where the file has become shorter. */
static limn_status read_exactly(unsigned char *bytes, size_t size, size_t *n_read, int fd,
                                const char *path, limn_error *err)
{
    ssize_t n = 1;
    for (*n_read = 0; *n_read < size && n > 0; *n_read += n > 0 ? (size_t)n : 0)
        n = read_some(fd, bytes + *n_read, size - *n_read);
    return n < 0 ? fail_errno(err, path, "can't read") : LIMN_OK;
}

static limn_status read_regular(limn_file_bytes *out, int fd, const struct stat *st,
                                const char *path, size_t max_size, limn_error *err)
{
    size_t n_read = 0;
    if (!S_ISREG(st->st_mode)) return limn_fail(err, LIMN_E_IO, "%s: is not a regular file", path);
    if ((uint64_t)st->st_size > max_size)
        return fail_size(err, path, (uint64_t)st->st_size, max_size);
    const size_t size = (size_t)st->st_size;
    unsigned char *bytes = limn_alloc_aligned(size ? size : 1, 1);
    if (!bytes)
        return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory for its %zu bytes", path, size);
    limn_status s = read_exactly(bytes, size, &n_read, fd, path, err);
    if (s == LIMN_OK) s = check_unchanged(fd, st, path, err);
    if (s == LIMN_OK && n_read < size)
        s = limn_fail(err, LIMN_E_IO, "%s: was truncated while it was read", path);
    if (s == LIMN_OK)
        *out = (limn_file_bytes){ bytes, size };
    else
        limn_free(bytes);
    return s;
}

limn_status limn_file_bytes_read(limn_file_bytes *out, const char *path, size_t max_size,
                                 limn_error *err)
{
    struct stat st;
    int fd;
    *out = (limn_file_bytes){ NULL, 0 };
    LIMN_TRY(open_input(&fd, &st, path, err));
    limn_status s = read_regular(out, fd, &st, path, max_size, err);
    close(fd);
    return s;
}

limn_status limn_file_head(unsigned char *bytes, size_t *n, size_t capacity, const char *path,
                           limn_error *err)
{
    struct stat st;
    int fd;
    LIMN_TRY(open_input(&fd, &st, path, err));
    const limn_status s = S_ISREG(st.st_mode)
                              ? read_exactly(bytes, capacity, n, fd, path, err)
                              : limn_fail(err, LIMN_E_IO, "%s: is not a regular file", path);
    close(fd);
    return s;
}

void limn_file_bytes_free(limn_file_bytes *file)
{
    limn_free((void *)file->bytes);
    *file = (limn_file_bytes){ NULL, 0 };
}

struct limn_file_parts {
    int fd;
    struct stat st; /* when it was opened */
};

limn_status limn_file_parts_open(limn_file_parts **out, const char *path, limn_error *err)
{
    struct stat st;
    int fd;
    *out = NULL;
    LIMN_TRY(open_input(&fd, &st, path, err));
    if (S_ISREG(st.st_mode)) *out = limn_calloc(1, sizeof **out);
    if (*out) {
        **out = (limn_file_parts){ fd, st };
        return LIMN_OK;
    }
    close(fd);
    return S_ISREG(st.st_mode) ? limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path)
                               : limn_fail(err, LIMN_E_IO, "%s: is not a regular file", path);
}

size_t limn_file_parts_size(const limn_file_parts *f)
{
    return (size_t)f->st.st_size;
}

limn_status limn_file_parts_read(void *out, const limn_file_parts *f, size_t offset, size_t size,
                                 limn_error *err)
{
    ssize_t n = 1;
    for (size_t done = 0; done < size && n > 0; done += n > 0 ? (size_t)n : 0) do
            n = pread(f->fd, (char *)out + done, size - done, (off_t)(offset + done));
        while (n < 0 && errno == EINTR);
    if (n < 0) return limn_fail(err, LIMN_E_IO, "can't be read (errno %d)", errno);
    if (n == 0 || has_changed(f->fd, &f->st))
        return limn_fail(err, LIMN_E_IO, "was written to while it was read");
    return LIMN_OK;
}

void limn_file_parts_close(limn_file_parts **f)
{
    if (!f || !*f) return;
    close((*f)->fd);
    limn_free(*f);
    *f = NULL;
}

limn_status limn_file_read(unsigned char **out, size_t *size, const char *path, size_t max_size,
                           limn_error *err)
{
    struct stat st;
    int fd;
    LIMN_TRY(open_input(&fd, &st, path, err));
    const bool is_file = S_ISREG(st.st_mode);
    limn_status s;
    if (is_file && (uint64_t)st.st_size > max_size)
        s = fail_size(err, path, (uint64_t)st.st_size, max_size);
    else if (!is_file && fcntl(fd, F_SETFL, O_RDONLY) < 0) /* from here on, wait for the writer */
        s = fail_errno(err, path, "can't read");
    else
        s = read_all(out, size, fd, path, is_file ? (size_t)st.st_size : 0, max_size, err);
    if (s == LIMN_OK && (s = check_unchanged(fd, &st, path, err)) != LIMN_OK) {
        limn_free(*out);
        *out = NULL;
    }
    close(fd);
    return s;
}

limn_status limn_fd_read(unsigned char **out, size_t *size, int fd, const char *name,
                         size_t max_size, limn_error *err)
{
    return read_all(out, size, fd, name, 0, max_size, err);
}

/* ---- writing ------------------------------------------------------------------------------ */

int limn_file_create_new(int folder, const char *name, int flags)
{
    return openat(folder, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

bool limn_fd_write(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno != EINTR) return false;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

limn_status limn_file_take_name(const char *temporary, const char *path, limn_error *err)
{
    if (rename(temporary, path) != 0)
        return fail_errno(err, path, "can't put the new file in place");
    return limn_folder_sync(path, err);
}

struct limn_file_writer {
    FILE *stream;
    char *path;      /* where it will be: symbolic links resolved */
    char *temporary; /* in the same folder */
    uint64_t size;   /* bytes written */
};

limn_status limn_file_fail_create(const char *path, limn_error *err)
{
    const int reason = errno;
    const size_t folder = limn_path_folder_size(path);
    if (reason == ENOENT && folder > 0)
        limn_fail(err, LIMN_E_IO, "%s: the folder %.*s: %s", path, (int)folder, path,
                  strerror(reason));
    else
        limn_fail(err, LIMN_E_IO, "%s: %s", path, strerror(reason));
    errno = reason;
    return LIMN_E_IO;
}

char *limn_file_resolve(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real) return limn_strdup(path);
    char *copy = limn_strdup(real);
    free(real);
    return copy;
}

bool limn_file_is_temporary(const char *name)
{
    const size_t size = strlen(name);
    return size > 10 && !strncmp(name, ".limn-", 6) && !strcmp(name + size - 4, ".tmp");
}

/* Creates folder/.limn-PID-N.tmp for the first N that is free, with the mode of any new file. */
static limn_status create_temporary(limn_file_writer *w, int *fd, limn_error *err)
{
    const size_t folder = limn_path_folder_size(w->path), capacity = folder + 64;
    w->temporary = limn_alloc(capacity, 1);
    if (!w->temporary) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", w->path);
    memcpy(w->temporary, w->path, folder);
    for (unsigned n = 0; n < 10000; n++) {
        snprintf(w->temporary + folder, capacity - folder, ".limn-%ld-%u.tmp", (long)getpid(), n);
        *fd = limn_file_create_new(AT_FDCWD, w->temporary, O_RDWR);
        if (*fd >= 0) return LIMN_OK;
        if (errno != EEXIST) break;
    }
    const limn_status s = errno == ENOENT
                              ? limn_file_fail_create(w->path, err)
                              : fail_errno(err, w->path, "can't create a file next to it");
    limn_free(w->temporary); /* there is nothing to remove */
    w->temporary = NULL;
    return s;
}

static limn_status open_writer(limn_file_writer *w, const char *path, limn_error *err)
{
    struct stat st;
    int fd = -1;
    w->path = limn_strdup(path);
    if (!w->path) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    const bool is_there = lstat(w->path, &st) == 0;
    if (is_there && S_ISLNK(st.st_mode))
        return limn_fail(err, LIMN_E_IO,
                         "%s: is a symbolic link, which limn does not write through", path);
    if (is_there && !S_ISREG(st.st_mode))
        return limn_fail(err, LIMN_E_IO, "%s: exists and is not a regular file", path);
    LIMN_TRY(create_temporary(w, &fd, err));
    if (is_there)
        (void)fchmod(fd, st.st_mode & 07777); /* a file system without modes is no failure */
    w->stream = fdopen(fd, "w+b");
    if (!w->stream) {
        limn_status s = fail_errno(err, path, "can't write");
        close(fd);
        return s;
    }
    return LIMN_OK;
}

limn_status limn_file_writer_open(limn_file_writer **out, const char *path, limn_error *err)
{
    limn_file_writer *w = limn_calloc(1, sizeof *w);
    *out = NULL;
    if (!w) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    limn_status s = open_writer(w, path, err);
    if (s != LIMN_OK) limn_file_writer_discard(&w);
    *out = w;
    return s;
}

limn_status limn_file_writer_open_given(limn_file_writer **out, const char *path, limn_error *err)
{
    char *resolved = limn_file_resolve(path);
    *out = NULL;
    if (!resolved) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    const limn_status s = limn_file_writer_open(out, resolved, err);
    limn_free(resolved);
    return s;
}

limn_status limn_file_writer_write(limn_file_writer *w, const void *bytes, size_t size,
                                   limn_error *err)
{
    if (size > 0 && fwrite(bytes, 1, size, w->stream) != size)
        return fail_errno(err, w->path, "can't write");
    w->size += size;
    return LIMN_OK;
}

limn_status limn_file_writer_patch(limn_file_writer *w, uint64_t offset, const void *bytes,
                                   size_t size, limn_error *err)
{
    if (offset > w->size || size > w->size - offset)
        return limn_fail(err, LIMN_E_ARG, "%s: can't patch %zu bytes at %llu of %llu", w->path,
                         size, (unsigned long long)offset, (unsigned long long)w->size);
    if (fseeko(w->stream, (off_t)offset, SEEK_SET) != 0 ||
        (size > 0 && fwrite(bytes, 1, size, w->stream) != size) ||
        fseeko(w->stream, 0, SEEK_END) != 0)
        return fail_errno(err, w->path, "can't write");
    return LIMN_OK;
}

limn_status limn_folder_sync(const char *path, limn_error *err)
{
    const size_t length = limn_path_folder_size(path);
    char *folder = length > 0 ? limn_strndup(path, length) : limn_strdup(".");
    if (!folder) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    limn_status s = LIMN_OK;
    /* EINVAL: a file system that can't sync folders */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        s = fail_errno(err, folder, "can't sync the folder");
    if (fd >= 0) close(fd);
    limn_free(folder);
    return s;
}

static limn_status make_folder(const char *path, limn_error *err)
{
    if (mkdir(path, 0777) == 0) return limn_folder_sync(path, err);
    return errno == EEXIST ? LIMN_OK : fail_errno(err, path, "can't make the folder");
}

limn_status limn_folder_make_above(const char *path, limn_error *err)
{
    char *cut = limn_strdup(path);
    limn_status s = LIMN_OK;
    if (!cut) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    for (char *slash = *cut ? strchr(cut + 1, '/') : NULL; slash && s == LIMN_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        s = make_folder(cut, err);
        *slash = '/';
    }
    limn_free(cut);
    return s;
}

static limn_status commit(limn_file_writer *w, limn_error *err)
{
    if (fflush(w->stream) != 0 || fsync(fileno(w->stream)) != 0)
        return fail_errno(err, w->path, "can't write");
    FILE *stream = w->stream;
    w->stream = NULL;
    if (fclose(stream) != 0) return fail_errno(err, w->path, "can't write");
    LIMN_TRY(limn_file_take_name(w->temporary, w->path, err));
    limn_free(w->temporary); /* there is nothing to remove */
    w->temporary = NULL;
    return LIMN_OK;
}

limn_status limn_file_writer_commit(limn_file_writer **w, limn_error *err)
{
    limn_status s = commit(*w, err);
    limn_file_writer_discard(w); /* after a success only memory is left to release */
    return s;
}

void limn_file_writer_discard(limn_file_writer **w)
{
    if (!w || !*w) return;
    if ((*w)->stream) fclose((*w)->stream);
    if ((*w)->temporary) unlink((*w)->temporary);
    limn_free((*w)->temporary);
    limn_free((*w)->path);
    limn_free(*w);
    *w = NULL;
}

static limn_status write_and_commit(limn_file_writer *w, const void *bytes, size_t size,
                                    limn_error *err)
{
    limn_status s = limn_file_writer_write(w, bytes, size, err);
    if (s == LIMN_OK) return limn_file_writer_commit(&w, err);
    limn_file_writer_discard(&w);
    return s;
}

limn_status limn_file_replace(const char *path, const void *bytes, size_t size, limn_error *err)
{
    limn_file_writer *w = NULL;
    LIMN_TRY(limn_file_writer_open(&w, path, err));
    return write_and_commit(w, bytes, size, err);
}

limn_status limn_file_replace_given(const char *path, const void *bytes, size_t size,
                                    limn_error *err)
{
    limn_file_writer *w = NULL;
    LIMN_TRY(limn_file_writer_open_given(&w, path, err));
    return write_and_commit(w, bytes, size, err);
}

uint64_t limn_fnv1a64(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

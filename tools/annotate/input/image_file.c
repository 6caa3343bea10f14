#include "tools/annotate/input/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/io/fileio.h"
#include "tools/annotate/decoders/decoder_modules.h"

enum {
    PIPE_LOOK_MS = 100,
    PIPE_WAIT_MS = 30000, /* how long the writer of a pipe may be silent */
};
bool limn_image_file_has_extension(const char *path)
{
    return limn_image_format_of_name(path) != NULL;
}

bool limn_image_file_has_magic(const unsigned char *bytes, size_t size)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    return format && format->kind == LIMN_IMAGE_CERTAIN;
}

/* "P6", spaces, two numbers: a list may begin with a file named "P6". */
static bool has_pnm_sizes(const unsigned char *bytes, size_t size)
{
    size_t at = 2, n_numbers = 0;
    while (n_numbers < 2) {
        const size_t begin = at;
        while (at < size && strchr(" \t\r\n", bytes[at]) && bytes[at]) at++;
        if (at < size && at > begin && bytes[at] == '#') return true; /* a comment */
        const size_t digits = at;
        while (at < size && bytes[at] >= '0' && bytes[at] <= '9') at++;
        if (digits == begin || at == digits) return false;
        n_numbers++;
    }
    return true;
}

/* Whether the bytes begin with a file name, as in a list: "FLIF.jpg". */
static bool is_name(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && bytes[at] >= ' ' && bytes[at] != 0x7F) at++;
    return memchr(bytes, '.', at) && (at == size || strchr("\r\n", bytes[at]));
}

bool limn_image_file_is_content(const unsigned char *bytes, size_t size)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    if (!format || format->kind != LIMN_IMAGE_CERTAIN) return false;
    if (!format->decode && is_name(bytes, size)) return false;
    return bytes[0] != 'P' || has_pnm_sizes(bytes, size);
}

/* `*is_image` by the first bytes of the regular file `fd`. */
static limn_status look_inside(bool *is_image, int fd, limn_error *err)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    *is_image = limn_image_file_has_magic(head, (size_t)n);
    return LIMN_OK;
}

/* "a.jpg_original": a backup, by exiftool or limn --backup. */
static bool is_backup(const char *path)
{
    static const char ending[] = "_original";
    const size_t size = strlen(path), n = sizeof ending - 1;
    const char *dot = strrchr(path, '.');
    return size > n && dot && dot + 1 < path + size - n && !strcmp(path + size - n, ending) &&
           limn_image_format_of_ending(dot + 1, (size_t)(path + size - n - dot - 1));
}

limn_status limn_image_file_is_image(bool *is_image, const char *path, bool is_named,
                                     limn_error *err)
{
    limn_status s;
    int fd;
    *is_image = is_named || limn_image_file_has_extension(path);
    if (*is_image || is_backup(path)) return LIMN_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    s = look_inside(is_image, fd, err);
    close(fd);
    return s;
}

limn_status limn_image_member_is_image(bool *is_image, const limn_dirwalk_entry *input,
                                       limn_archive *archive, limn_error *err)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    size_t size;
    *is_image = limn_image_file_has_extension(input->path);
    if (*is_image && input->is_link)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "links inside archives are not followed");
    if (*is_image || input->is_link) return LIMN_OK;
    if (limn_archive_has_name(input->path))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "archives inside archives are not read");
    LIMN_TRY(limn_archive_peek(archive, head, sizeof head, &size, err));
    *is_image = limn_image_file_has_magic(head, size);
    return LIMN_OK;
}

bool limn_image_head_can_be_decoded(const unsigned char *bytes, size_t size)
{
    return limn_format_is_read(limn_image_sniff(bytes, size));
}

bool limn_image_file_can_be_decoded(const char *path, limn_archive *archive)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    size_t size = 0;
    if (archive) {
        if (limn_archive_peek(archive, head, sizeof head, &size, NULL)) return false;
    } else {
        const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
        if (fd >= 0) close(fd);
        size = n > 0 ? (size_t)n : 0;
    }
    return limn_image_head_can_be_decoded(head, size);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Whether the file was modified between the two stats. */
static bool has_changed(const struct stat *before, const struct stat *after)
{
    return before->st_size != after->st_size || before->st_mtim.tv_sec != after->st_mtim.tv_sec ||
           before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

static limn_status fail_errno(limn_error *err)
{
    return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
}

static limn_status fail_large(size_t max_size, limn_error *err)
{
    return limn_fail(err, LIMN_E_LIMIT, "it is larger than %zu bytes, the limit for image files",
                     max_size);
}

/* Reads as many bytes as the file has now, after checking its size against the limit. */
static limn_status read_regular(limn_buffer *out, int fd, const struct stat *st, size_t max_size,
                                limn_error *err)
{
    struct stat after;
    ssize_t n = 1;
    char block[1 << 16];
    if ((uint64_t)st->st_size > max_size) return fail_large(max_size, err);
    while (n && out->size <= (size_t)st->st_size) {
        n = read(fd, block, sizeof block);
        if (n < 0 && errno != EINTR) return fail_errno(err);
        limn_buffer_append(out, block, n > 0 ? (size_t)n : 0);
        if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for its bytes");
    }
    if (fstat(fd, &after) || has_changed(st, &after))
        return limn_fail(err, LIMN_E_IO, "it was modified while it was being read");
    return LIMN_OK;
}

/* Waits for bytes of a pipe, or its end. */
static limn_status wait_for_pipe(int fd, int *waited_ms, const atomic_bool *is_stopping,
                                 limn_error *err)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    for (;; *waited_ms += PIPE_LOOK_MS) {
        const int n = poll(&wanted, 1, PIPE_LOOK_MS);
        if (n > 0) return LIMN_OK;
        if (n < 0 && errno != EINTR) return fail_errno(err);
        if (is_stopping && atomic_load(is_stopping))
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        if (*waited_ms >= PIPE_WAIT_MS)
            return limn_fail(err, LIMN_E_IO, "it is a pipe that has been silent for %d seconds",
                             PIPE_WAIT_MS / 1000);
    }
}

/* A pipe without a writer counts as at its end. */
static limn_status read_pipe(limn_buffer *out, int fd, size_t max_size,
                             const atomic_bool *is_stopping, limn_error *err)
{
    int waited_ms = 0; /* in total, so that a trickle of bytes does not extend it */
    char block[1 << 16];
    for (;;) {
        const ssize_t n = read(fd, block, sizeof block);
        if (n == 0) return LIMN_OK;
        if (n < 0 && errno == EAGAIN)
            LIMN_TRY(wait_for_pipe(fd, &waited_ms, is_stopping, err));
        else if (n < 0 && errno != EINTR)
            return fail_errno(err);
        limn_buffer_append(out, block, n > 0 ? (size_t)n : 0);
        if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory for its bytes");
        if (out->size > max_size) return fail_large(max_size, err);
    }
}

static limn_status read_open(limn_buffer *out, int fd, size_t max_size,
                             const atomic_bool *is_stopping, limn_error *err)
{
    struct stat st;
    if (fstat(fd, &st)) return fail_errno(err);
    if (S_ISREG(st.st_mode)) return read_regular(out, fd, &st, max_size, err);
    if (S_ISFIFO(st.st_mode)) return read_pipe(out, fd, max_size, is_stopping, err);
    return limn_fail(err, LIMN_E_IO,
                     S_ISDIR(st.st_mode) ? "Is a directory"
                                         : "it is a device or a socket, not a file");
}

limn_status limn_image_file_read(unsigned char **bytes, size_t *size, const char *path,
                                 size_t max_size, const atomic_bool *is_stopping, limn_error *err)
{
    limn_buffer read = { 0 };
    limn_status s;
    /* so that opening a pipe without a writer does not block */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    *bytes = NULL;
    *size = 0;
    if (fd < 0) return fail_errno(err);
    limn_buffer_append(&read, "", 0);
    s = read_open(&read, fd, max_size, is_stopping, err);
    close(fd);
    if (s != LIMN_OK || read.has_failed) {
        limn_buffer_finish(&read);
        return s != LIMN_OK ? s : limn_fail(err, LIMN_E_NOMEM, "out of memory for its bytes");
    }
    *bytes = (unsigned char *)read.bytes;
    *size = read.size;
    return LIMN_OK;
}

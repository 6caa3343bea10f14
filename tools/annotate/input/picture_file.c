#include "tools/annotate/input/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/image/format.h"
#include "common/io/fileio.h"

bool limn_picture_file_has_extension(const char *path)
{
    return limn_image_format_of_name(path) != NULL;
}

bool limn_picture_file_has_magic(const unsigned char *bytes, size_t size)
{
    const limn_image_format *format = limn_image_sniff(bytes, size);
    return format && format->kind == LIMN_IMAGE_CERTAIN;
}

/* "P6", spaces, two numbers: a list may well begin with a file that is called P6. */
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

bool limn_picture_file_is_content(const unsigned char *bytes, size_t size)
{
    if (!limn_picture_file_has_magic(bytes, size)) return false;
    return bytes[0] != 'P' || has_pnm_sizes(bytes, size);
}

/* `*is_picture` by the first bytes of the regular file `fd`. */
static limn_status look_inside(bool *is_picture, int fd, limn_error *err)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    *is_picture = limn_picture_file_has_magic(head, (size_t)n);
    return LIMN_OK;
}

limn_status limn_picture_file_is_picture(bool *is_picture, const char *path, bool is_named,
                                         limn_error *err)
{
    limn_status s;
    int fd;
    *is_picture = is_named || limn_picture_file_has_extension(path);
    if (*is_picture) return LIMN_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    s = look_inside(is_picture, fd, err);
    close(fd);
    return s;
}

limn_status limn_picture_member_is_picture(bool *is_picture, const limn_dirwalk_entry *input,
                                           limn_archive *archive, limn_error *err)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    size_t size;
    *is_picture = limn_picture_file_has_extension(input->path);
    if (*is_picture && input->is_link)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "a link inside an archive is not followed");
    if (*is_picture || input->is_link) return LIMN_OK;
    if (limn_archive_has_name(input->path))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "an archive inside an archive is not read");
    LIMN_TRY(limn_archive_peek(archive, head, sizeof head, &size, err));
    *is_picture = limn_picture_file_has_magic(head, size);
    return LIMN_OK;
}

/* Whether the file was written to between the two looks at it. */
static bool has_changed(const struct stat *before, const struct stat *after)
{
    return before->st_size != after->st_size || before->st_mtim.tv_sec != after->st_mtim.tv_sec ||
           before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

limn_status limn_picture_file_read(unsigned char **bytes, size_t *size, const char *path,
                                   size_t max_size, limn_error *err)
{
    struct stat before, after;
    limn_status s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    *bytes = NULL;
    *size = 0;
    if (fd < 0 || fstat(fd, &before)) {
        limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
        if (fd >= 0) close(fd);
        return LIMN_E_IO;
    }
    s = limn_fd_read(bytes, size, fd, "reading", max_size, err);
    if (s == LIMN_OK && S_ISREG(before.st_mode) && !fstat(fd, &after) &&
        has_changed(&before, &after)) {
        limn_free(*bytes);
        *bytes = NULL;
        *size = 0;
        s = limn_fail(err, LIMN_E_IO, "it was written to while it was read");
    }
    close(fd);
    return s;
}

#include "tools/annotate/input/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"

enum { MAGIC_SIZE = 32 /* bytes looked at */ };

bool limn_picture_file_has_extension(const char *path)
{
    static const char *const extensions[] = {
        "jpg", "jpeg", "jpe", "jfif", "png",  "apng", "webp", "bmp", "dib",  "gif",
        "pnm", "pbm",  "pgm", "ppm",  "avif", "heic", "heif", "tif", "tiff", "jxl",
    };
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
        if (!strcasecmp(dot + 1, extensions[i])) return true;
    return false;
}

bool limn_picture_file_has_magic(const unsigned char *bytes, size_t size)
{
    static const struct {
        size_t offset;
        const char *text;
        size_t size;
    } magics[] = {
        { 0, "\xff\xd8\xff", 3 }, { 0, "\x89PNG\r\n\x1a\n", 8 },
        { 0, "GIF8", 4 },         { 8, "WEBP", 4 },
        { 4, "ftypavif", 8 },     { 4, "ftypavis", 8 },
        { 4, "ftypheic", 8 },     { 4, "ftypheix", 8 },
        { 4, "ftypmif1", 8 },     { 0, "II*\0", 4 },
        { 0, "MM\0*", 4 },        { 4, "JXL \r\n\x87\n", 8 },
    };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (size >= magics[i].offset + magics[i].size &&
            !memcmp(bytes + magics[i].offset, magics[i].text, magics[i].size))
            return true;
    /* Two letters prove little: BMP has four zero bytes that go with them. */
    if (size >= 10 && !memcmp(bytes, "BM", 2) && !memcmp(bytes + 6, "\0\0\0\0", 4)) return true;
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           strchr(" \t\r\n", bytes[2]) && bytes[2];
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
    unsigned char head[MAGIC_SIZE];
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
    unsigned char head[MAGIC_SIZE];
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

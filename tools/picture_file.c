#include "tools/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/io/fileio.h"

bool limn_picture_file_has_extension(const char *path)
{
    static const char *const extensions[] = {
        "jpg", "jpeg", "jpe",  "jfif", "png",  "apng", "webp", "bmp",  "dib", "gif",
        "pnm", "pbm",  "pgm",  "ppm",  "avif", "heic", "heif", "tif",  "tiff", "jxl",
    };
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
        if (!strcasecmp(dot + 1, extensions[i]))
            return true;
    return false;
}

bool limn_picture_file_has_magic(const unsigned char *bytes, size_t size)
{
    static const struct {
        size_t offset;
        const char *text;
        size_t size;
    } magics[] = {
        { 0, "\xff\xd8\xff", 3 }, { 0, "\x89PNG\r\n\x1a\n", 8 }, { 0, "GIF8", 4 },
        { 8, "WEBP", 4 },         { 4, "ftypavif", 8 },          { 4, "ftypavis", 8 },
        { 4, "ftypheic", 8 },     { 4, "ftypheix", 8 },          { 4, "ftypmif1", 8 },
        { 0, "II*\0", 4 },        { 0, "MM\0*", 4 },             { 4, "JXL \r\n\x87\n", 8 },
    };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (size >= magics[i].offset + magics[i].size &&
            !memcmp(bytes + magics[i].offset, magics[i].text, magics[i].size))
            return true;
    /* Two letters prove little: BMP has four zero bytes that go with them. */
    if (size >= 10 && !memcmp(bytes, "BM", 2) && !memcmp(bytes + 6, "\0\0\0\0", 4))
        return true;
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           strchr(" \t\r\n", bytes[2]) && bytes[2];
}

/* `*is_picture` by the first bytes of the regular file `fd`, which stays at its beginning. */
static limn_status look_inside(bool *is_picture, int fd, limn_error *err)
{
    unsigned char head[32];
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    *is_picture = limn_picture_file_has_magic(head, (size_t)n);
    return LIMN_OK;
}

limn_status limn_picture_file_read(unsigned char **bytes, size_t *size, const char *path,
                                   bool is_named, size_t max_size, limn_error *err)
{
    limn_status s = LIMN_OK;
    bool is_picture = is_named || limn_picture_file_has_extension(path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    *bytes = NULL;
    *size = 0;
    if (fd < 0)
        return limn_fail(err, LIMN_E_IO, "%s", strerror(errno));
    if (!is_picture)
        s = look_inside(&is_picture, fd, err);
    if (s == LIMN_OK && is_picture)
        s = limn_fd_read(bytes, size, fd, "reading", max_size, err);
    close(fd);
    return s;
}

/* The bytes of a fuzz entry as a file, for what reads only files. */
#ifndef LIMN_TESTS_FUZZ_FUZZ_FILE_H
#define LIMN_TESTS_FUZZ_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A descriptor at the beginning of a file in memory that has these bytes, until the next call. */
static inline int fuzz_file(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    if (fd < 0) fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, bytes, size, 0) != (ssize_t)size ||
        lseek(fd, 0, SEEK_SET))
        abort();
    return fd;
}

/* The same as a path. */
static inline const char *fuzz_path(const uint8_t *bytes, size_t size)
{
    static char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fuzz_file(bytes, size));
    return path;
}

#endif

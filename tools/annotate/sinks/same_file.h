/* Comparing what stat(2) says of two names. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SAME_FILE_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

static inline bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static inline bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

#endif

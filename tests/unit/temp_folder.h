/* A temporary folder for a test program: removed with everything in it when the tests are over. To
 * be included by a program's only source. */
#ifndef LIMN_TESTS_UNIT_TEMP_FOLDER_H
#define LIMN_TESTS_UNIT_TEMP_FOLDER_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char temp_folder[256];

static inline int temp_folder_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(temp_folder, sizeof temp_folder, "%s/limn-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(temp_folder) ? 0 : -1;
}

/* "FOLDER/name"; valid until the eighth call after this one. */
static inline const char *temp_path(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", temp_folder, name);
    return path;
}

/* The number of entries in the folder. */
static inline size_t temp_n_files(void)
{
    size_t n = 0;
    DIR *dir = opendir(temp_folder);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir) closedir(dir);
    return n;
}

static inline int temp_folder_teardown(void **state)
{
    DIR *dir = opendir(temp_folder);
    (void)state;
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove(temp_path(e->d_name));
    if (dir) closedir(dir);
    return rmdir(temp_folder);
}

#endif

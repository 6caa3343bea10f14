/* Reading tests/data and the tables that make_images.py writes there. */
#ifndef LIMN_TESTS_UNIT_IMAGE_FIXTURES_H
#define LIMN_TESTS_UNIT_IMAGE_FIXTURES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LIMN_SOURCE_ROOT/folder/name; valid until the next call. */
static const char *source_path(const char *folder, const char *name)
{
    static char path[8192];
    const char *root = getenv("LIMN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/%s/%s", root ? root : ".", folder, name);
    return path;
}

/* The next line of a table of `n` columns; false at its end. The columns point into `line`. */
static int read_columns(FILE *table, char *line, int line_size, char **columns, int n)
{
    if (!fgets(line, line_size, table)) return 0;
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < n; i++) {
        columns[i] = line;
        line += strcspn(line, "\t");
        if (*line) *line++ = '\0';
    }
    return 1;
}

#endif

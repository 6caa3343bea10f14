#include "models/convert/published/folder_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_SIZE (64u << 20) /* bytes of a file that is not of weights */

char *folder_file_path(const char *folder, const char *name, limn_error *err)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    const size_t n = strlen(folder);
    char *path = limn_alloc(size, 1);
    if (path)
        snprintf(path, size, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    else
        limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return path;
}

bool folder_file_is_there(const char *folder, const char *name)
{
    char *path = folder_file_path(folder, name, NULL);
    const bool is_there = path && access(path, F_OK) == 0;
    limn_free(path);
    return is_there;
}

limn_status folder_file_read(unsigned char **out, size_t *size, const char *folder,
                             const char *name, limn_error *err)
{
    char *path = folder_file_path(folder, name, err);
    *out = NULL;
    if (!path) return LIMN_E_NOMEM;
    const limn_status s = limn_file_read(out, size, path, MAX_SIZE, err);
    limn_free(path);
    return s;
}

limn_status folder_file_json(json_t **out, const char *folder, const char *name,
                             folder_file_parser *parse, limn_error *err)
{
    unsigned char *bytes;
    size_t size;
    *out = NULL;
    LIMN_TRY(folder_file_read(&bytes, &size, folder, name, err));
    const limn_status s = parse(out, bytes, size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s/%s", folder, name);
    limn_free(bytes);
    return s;
}

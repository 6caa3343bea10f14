#include "tools/annotate/input/path_names.h"

#include <string.h>

#include "common/text/path.h"

const char *limn_path_skip_dots(const char *path)
{
    while (path[0] == '.' && path[1] == '/') {
        path++;
        path += strspn(path, "/");
    }
    return path;
}

const char *limn_path_below_folder_of(const char *file, const char *path)
{
    const size_t size = limn_path_folder_size(file = limn_path_skip_dots(file));
    path = limn_path_skip_dots(path);
    if (strncmp(path, file, size) || (!size && path[0] == '/') || !strncmp(path + size, "../", 3))
        return NULL;
    return path + size;
}

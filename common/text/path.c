#include "common/text/path.h"

#include <string.h>

const char *limn_path_last(const char *path)
{
    return path + limn_path_folder_size(path);
}

size_t limn_path_folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

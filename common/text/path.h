/* The parts of a path. Pure; thread-safe. */
#ifndef LIMN_COMMON_TEXT_PATH_H
#define LIMN_COMMON_TEXT_PATH_H

#include <stddef.h>

/* What follows the last '/'; the whole path if there is none. */
const char *limn_path_last(const char *path);
/* Bytes of "folder/" in "folder/name", the last '/' included; 0 where there is none. */
size_t limn_path_folder_size(const char *path);

#endif

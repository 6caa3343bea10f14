/* Paths as text. They are bytes; nothing is looked up on the disk. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_PATH_NAMES_H
#define LIMN_TOOLS_ANNOTATE_INPUT_PATH_NAMES_H

/* `path` without "./" at its beginning. */
const char *limn_path_skip_dots(const char *path);
/* The end of `path` below the folder that the file `file` is in; NULL when it is not below. */
const char *limn_path_below_folder_of(const char *file, const char *path);

#endif

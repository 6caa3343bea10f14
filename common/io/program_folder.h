/* Where the running program is, for files that come with it. */
#ifndef LIMN_COMMON_IO_PROGRAM_FOLDER_H
#define LIMN_COMMON_IO_PROGRAM_FOLDER_H

#include <stddef.h>

/* Writes the folder of this program, with a slash at its end, to out [size]; "" where the system
 * doesn't tell it or it doesn't fit. Symbolic links are resolved. Any thread. */
void limn_program_folder(char *out, size_t size);

#endif

#include "common/io/program_folder.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void limn_program_folder(char *out, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", out, size);
    const bool is_whole = n > 0 && (size_t)n < size; /* readlink doesn't say when it cuts off */
    out[is_whole ? n : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        slash[1] = '\0';
    else
        out[0] = '\0';
}

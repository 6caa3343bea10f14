/* Where results go: standard output, or a new file that gets its final name when it is
 * complete. */
#ifndef LIMN_TOOLS_OUTPUT_H
#define LIMN_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct limn_output {
    const char *path; /* as given; NULL: standard output */
    char *part_path;  /* path.part, where the bytes are until the end; NULL: written directly */
    int fd;
    bool is_terminal;    /* control characters are escaped: limn_terminal_append */
    bool is_pipe_closed; /* the reader of standard output has gone */
} limn_output;

/* `path` (borrowed) NULL or "-" is standard output; a pipe or device is written directly; a file
 * that exists already is refused, as is its .part of an interrupted run. LIMN_E_ARG for
 * those, LIMN_E_IO, LIMN_E_NOMEM; errors begin with the path. */
limn_status limn_output_open(limn_output *out, const char *path, limn_error *err);
/* One write for all of it, so that lines come whole and at once. LIMN_E_IO. */
limn_status limn_output_write(limn_output *out, const char *bytes, size_t size, limn_error *err);
/* Closes; when `is_complete`, after syncing and renaming. Otherwise the .part file stays. An empty
 * one goes in any case: nothing was done. */
limn_status limn_output_close(limn_output *out, bool is_complete, limn_error *err);
/* Closes, and removes the .part file: what is in it is of no use. */
void limn_output_discard(limn_output *out);

#endif

/* Results into a pipe, a device or an open descriptor: written at once, and not resumable. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_DIRECT_OUTPUT_H
#define LIMN_TOOLS_ANNOTATE_SINKS_DIRECT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct limn_direct_output {
    const char *name; /* in errors */
    int fd;           /* -1: not open */
    bool is_own;      /* opened here */
    bool is_terminal; /* output is made harmless: limn_terminal_append */
    bool is_pipe_closed;
} limn_direct_output;

/* `path` (borrowed) NULL: `fd`, borrowed; else an existing pipe or device. LIMN_E_ARG: it has
 * become a file; LIMN_E_IO. Errors begin with the path. */
limn_status limn_direct_output_open(limn_direct_output *out, const char *path, int fd,
                                    limn_error *err);
/* Writes all of it. LIMN_E_IO; out->is_pipe_closed when the reader has gone. */
limn_status limn_direct_output_write(limn_direct_output *out, const char *bytes, size_t size,
                                     limn_error *err);
limn_status limn_direct_output_close(limn_direct_output *out, limn_error *err); /* LIMN_E_IO */

#endif

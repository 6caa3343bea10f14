/* Results into a pipe, a device or an open descriptor: written at once, nothing to go on from. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_DIRECT_OUTPUT_H
#define LIMN_TOOLS_ANNOTATE_SINKS_DIRECT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct limn_direct_output {
    const char *name; /* in errors */
    int fd;           /* -1: not open */
    bool is_own;      /* opened here */
    bool is_terminal; /* what is written is made harmless: limn_terminal_append */
    bool is_pipe_closed;
} limn_direct_output;

/* `path` (borrowed) NULL: `fd`, borrowed; else a pipe or device that is there. LIMN_E_ARG: it is a
 * file by now; LIMN_E_IO. Errors begin with the path. */
limn_status limn_direct_output_open(limn_direct_output *out, const char *path, int fd,
                                    limn_error *err);
/* All of it. LIMN_E_IO; out->is_pipe_closed when nobody reads any more. */
limn_status limn_direct_output_write(limn_direct_output *out, const char *bytes, size_t size,
                                     limn_error *err);
limn_status limn_direct_output_close(limn_direct_output *out, limn_error *err); /* LIMN_E_IO */

#endif

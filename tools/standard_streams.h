/* Standard input, output and error, made safe to use. */
#ifndef LIMN_TOOLS_STANDARD_STREAMS_H
#define LIMN_TOOLS_STANDARD_STREAMS_H

#include "common/base/status.h"

/* The first thing that every tool does; before threads.
 *
 * If descriptors 0, 1 or 2 are closed, they are replaced by unusable ones: otherwise the next file
 * or pipe that is opened would get that number, and be read as a list of names or have messages
 * written into it. Reading from such a standard input, or writing to such an output, fails with
 * EBADF and is reported as an error.
 *
 * A file that grows beyond the limit of its size (RLIMIT_FSIZE) is an error of write(2), as on a
 * full disk, and does not end the tool with its temporary files left.
 *
 * What is printed to a standard output that is a terminal goes through limn_terminal_append; pipes
 * and files get the bytes as they are. (limn_output does so itself; messages are always harmless.)
 */
void limn_standard_streams_secure(void);

/* Whether all that was printed to standard output has got there; for the end of a tool that prints.
 * LIMN_E_IO: the disk is full, say. */
limn_status limn_standard_output_flush(limn_error *err);

#endif

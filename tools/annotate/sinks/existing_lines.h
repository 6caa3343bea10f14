/* Results that an output file already has. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_EXISTING_LINES_H
#define LIMN_TOOLS_ANNOTATE_SINKS_EXISTING_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/annotate/journal/name_set.h"
#include "tools/annotate/writers/writer.h"

typedef struct limn_existing_lines {
    size_t size;         /* bytes of complete records: without the format's foot and a torn end */
    bool has_records;    /* at least one */
    bool lacks_line_end; /* after the last one, which is otherwise complete */
} limn_existing_lines;

/* Adds the names in the file `path`, of `writer`'s format, to `names`. LIMN_E_ARG when the file is
 * not in that format: the text says where; LIMN_E_IO, LIMN_E_NOMEM. Errors begin with the path. */
limn_status limn_existing_lines_read(limn_existing_lines *out, limn_name_set *names,
                                     const char *path, const limn_writer *writer, limn_error *err);

#endif

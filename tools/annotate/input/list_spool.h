/* A list read from a descriptor, spooled so that it can be read more than once. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_LIST_SPOOL_H
#define LIMN_TOOLS_ANNOTATE_INPUT_LIST_SPOOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/annotate/annotate.h"

typedef struct limn_list_spool {
    int fd; /* to read from */
    off_t beginning;
    bool is_own; /* `fd` is a copy, which limn_list_spool_finish closes */
} limn_list_spool;

/* Copies `fd` to its end into an unnamed temporary file; a seekable file is used as it is.
 * LIMN_E_INTERRUPTED (`hooks`), LIMN_E_IO. */
limn_status limn_list_spool_start(limn_list_spool *spool, int fd, const limn_annotate_hooks *hooks,
                                  limn_error *err);
/* Back to where the list began. LIMN_E_IO. */
limn_status limn_list_spool_rewind(const limn_list_spool *spool, limn_error *err);
void limn_list_spool_finish(limn_list_spool *spool);

#endif

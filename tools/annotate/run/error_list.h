/* The list of what failed, --errors FILE: lines of name, cause and detail, with tabs between. */
#ifndef LIMN_TOOLS_ANNOTATE_RUN_ERROR_LIST_H
#define LIMN_TOOLS_ANNOTATE_RUN_ERROR_LIST_H

#include "tools/annotate/journal/part_file.h"

typedef struct limn_error_list {
    limn_part_file file;
    limn_buffer line;
} limn_error_list; /* zero-initialise */

/* Whether a list may be written to `path`: it does not exist, or is the list of an earlier run,
 * which is replaced when the new one is complete. LIMN_E_ARG when it is something else;
 * LIMN_E_IO. */
limn_status limn_error_list_check(const char *path, limn_error *err);
/* A new list, or, from `state`, one that an interrupted run began. LIMN_E_ARG as above, LIMN_E_IO,
 * LIMN_E_NOMEM; errors begin with the path. */
limn_status limn_error_list_open(limn_error_list *list, const char *path, const char *state,
                                 limn_error *err);
/* In `name`, backslash, tab and line ends are \\ \t \n \r. */
limn_status limn_error_list_add(limn_error_list *list, const char *name, const limn_error *error,
                                limn_error *err);
void limn_error_list_finish(limn_error_list *list); /* frees; accepts a zeroed one; zeroes it */

#endif

/* The list on standard input, kept so that it can be read more than once. One per process. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_LIST_SPOOL_H
#define LIMN_TOOLS_ANNOTATE_INPUT_LIST_SPOOL_H

#include "common/base/status.h"

/* Reads standard input to its end into a file without a name, which takes its place; a file that
 * can be rewound stays as it is. A signal ends it (tools/interrupt.h): LIMN_E_INTERRUPTED;
 * LIMN_E_IO. */
limn_status limn_list_spool_start(limn_error *err);
/* Back to where standard input stood at the start; nothing without limn_list_spool_start.
 * LIMN_E_IO. */
limn_status limn_list_spool_rewind(limn_error *err);

#endif

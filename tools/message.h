/* Messages on standard error: "limn: path: reason", one line each. Control characters in names are
 * shown as \n, \t, \xNN (common/text/terminal_text.h), so that a message stays one line and can't
 * control a terminal. Thread-safe after limn_message_init. */
#ifndef LIMN_TOOLS_MESSAGE_H
#define LIMN_TOOLS_MESSAGE_H

#include "common/base/status.h"
#include "tools/verbosity.h"

/* limn_cli_parse calls it with LIMN_NORMAL; a tool sets what -q and -v ask for. `program` is
 * kept. */
void limn_message_init(const char *program, limn_verbosity verbosity);
void limn_message_error(const char *fmt, ...) LIMN_PRINTF(1, 2);   /* always */
void limn_message_warning(const char *fmt, ...) LIMN_PRINTF(1, 2); /* not with -q */
void limn_message_info(const char *fmt, ...) LIMN_PRINTF(1, 2);    /* not with -q */
void limn_message_note(const char *fmt, ...) LIMN_PRINTF(1, 2);    /* only with -v */

#endif

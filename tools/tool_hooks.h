/* How a tool answers the hooks of tools/annotate: with its messages, its progress line, and signals
 * (tools/message.h, tools/progress.h, tools/interrupt.h). */
#ifndef LIMN_TOOLS_TOOL_HOOKS_H
#define LIMN_TOOLS_TOOL_HOOKS_H

#include "tools/annotate/annotate.h"

/* Starts the clock of the progress line, where one is shown. `output` is where results go, NULL or
 * "-" being standard output; `ctx` is for other hooks of the caller. */
limn_annotate_hooks limn_tool_hooks(const char *output, void *ctx);

#endif

/* The system calls of a sandboxed child: all others end it. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H

#include "common/base/status.h"

/* From here on, this process may exit, return from signals, and map and protect anonymous memory
 * that is not executable; anything else kills it with SIGSYS. Not to be undone. LIMN_E_UNSUPPORTED:
 * not on this system or processor. Async-signal-safe but for the text of an error. */
limn_status limn_syscall_filter_install(limn_error *err);

#endif

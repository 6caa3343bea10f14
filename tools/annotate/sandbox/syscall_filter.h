/* The system calls that a sandboxed child may make; any other kills it. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H

#include "common/base/status.h"

/* From here on, this process may exit, return from signals, and map and protect anonymous memory
 * that is not executable; anything else kills it with SIGSYS. Can't be undone. LIMN_E_UNSUPPORTED:
 * not available on this system or processor. Async-signal-safe, except for the text of an error. */
limn_status limn_syscall_filter_install(limn_error *err);

#endif

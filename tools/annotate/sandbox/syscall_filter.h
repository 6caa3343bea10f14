/* The system calls that a sandboxed child may make; any other kills it. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SYSCALL_FILTER_H

#include <stddef.h>

#include "common/base/status.h"

#define LIMN_SYSCALL_FILTER_MAX_MORE 4

/* From here on, this process may exit, return from signals, map and protect anonymous memory that
 * is not executable, and make the calls more [n_more] (SYS_…, at most
 * LIMN_SYSCALL_FILTER_MAX_MORE), with any arguments; anything else kills it with SIGSYS. Can't be
 * undone. LIMN_E_UNSUPPORTED: not available on this system or processor. Async-signal-safe, except
 * for the text of an error. */
limn_status limn_syscall_filter_install(const int *more, size_t n_more, limn_error *err);

#endif

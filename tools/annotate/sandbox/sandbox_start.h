/* Starting a sandbox's keeper: as a fork of this process, or as a program that is told the plan.
 *
 * Considered and rejected: a forked keeper that unmaps or marks (MADV_DONTFORK) what it doesn't
 * need of the caller's memory, since nothing tells the C library's own blocks from those of the
 * caller; and children that serve several images, since one image could then affect the next. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_START_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_START_H

#include "tools/annotate/sandbox/sandbox_child.h"

/* Bytes at the start of the board, for a keeper that is a program. */
size_t limn_sandbox_order_size(const limn_sandbox_plan *plan);

/* plan->settings.program, or a fork without one. LIMN_E_IO, LIMN_E_NOMEM;
 * LIMN_E_UNSUPPORTED: the program may not be run here. */
limn_status limn_sandbox_start_keeper(const limn_sandbox_plan *plan, pid_t *keeper,
                                      limn_error *err);

#endif

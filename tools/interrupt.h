/* SIGINT and SIGTERM: the first asks to finish the work in progress, the second exits at once,
 * though not in the middle of a line. One per process. */
#ifndef LIMN_TOOLS_INTERRUPT_H
#define LIMN_TOOLS_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* Installs the handlers, and makes writing to a closed pipe an error (EPIPE) instead of a signal.
 * False when handlers can't be had (errno says why). */
bool limn_interrupt_start(void);
/* Whether a signal came. Any thread. */
bool limn_interrupt_is_set(void);
/* The same as a flag that becomes true. */
const atomic_bool *limn_interrupt_flag(void);
/* Between the two, a second signal waits (a third does not): around the writing of a line. In the
 * thread that takes signals: every other one blocks them (limn_interrupt_block). */
void limn_interrupt_hold(void);
void limn_interrupt_release(void);
/* Blocks SIGINT and SIGTERM in the calling thread, and in threads that it starts, until
 * limn_interrupt_unblock: so that these never get them. */
void limn_interrupt_block(void);
void limn_interrupt_unblock(void);
/* After EPIPE: ends the process as the signal would have, so that shells and scripts see what they
 * see of any program; returns when the signal was already ignored as the process began. */
void limn_interrupt_raise_sigpipe(void);

#endif

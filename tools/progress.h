/* The progress line: on standard error, only if that is a terminal and without -q; rewritten in
 * place at most ten times a second, and erased at the end. */
#ifndef LIMN_TOOLS_PROGRESS_H
#define LIMN_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

bool limn_progress_is_wanted(void); /* a terminal, and no -q */
/* Starts the clock. `unit` is what is counted, in the plural: "images". Kept. */
void limn_progress_start(const char *unit);
/* n_done of n_total (0 = not known yet), n_failed of those failed. Shows the rate, the failures
 * and, when n_total is known, the time left. Call from one thread. */
void limn_progress_update(size_t n_done, size_t n_failed, size_t n_total);
/* Shows the caller's own line instead, as often. */
void limn_progress_show(const char *line);
/* Erases the line; also called before every message, so that lines don't mix. */
void limn_progress_erase(void);

#endif

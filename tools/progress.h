/* The progress line: on standard error, only when that is a terminal and not with -q; rewritten
 * in place at most ten times a second, and gone at the end. Silent in a pipe. */
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
/* A line of the caller's own in its place, as often. */
void limn_progress_show(const char *line);
/* Takes the line away; also called by every message, so that lines don't mix. */
void limn_progress_erase(void);

#endif

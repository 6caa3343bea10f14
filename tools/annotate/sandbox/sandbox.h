/* Work on hostile bytes in processes that can do nothing else: they may read, write, end, return
 * from signals and get anonymous memory, and the kernel kills them when they ask for more. A flaw
 * in an image library then costs one picture and not the run, and reaches no file.
 *
 *     caller ── request: bytes in shared memory, a word through a pipe ──▶ child i ── work ──┐
 *        ◀───── answer through a pipe, the result in the same shared memory ──────────────────┘
 *                keeper: the process that starts the children, sees them die, starts others
 *
 * All of it is forked from the keeper, which is forked while there is one thread and nothing worth
 * stealing in memory. When the caller dies, so do they. Linux with seccomp; elsewhere, and under
 * sanitizers and valgrind, which need more system calls than that, it does not start. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_SANDBOX_MAX_SETTINGS 1024 /* bytes */

/* Fills out [out_size] from bytes [size]. Runs in a child; what it keeps in static variables is the
 * child's own and is gone with it. */
typedef limn_status (*limn_sandbox_work)(uint8_t *out, size_t out_size, const void *bytes,
                                         size_t size, const void *settings, limn_error *err);

typedef struct limn_sandbox_settings {
    limn_sandbox_work work;
    size_t n_children;
    size_t max_size, max_out_size; /* bytes of a request and of a result; reserved as addresses */
    size_t max_memory;             /* bytes that a child may have beside those */
    double max_cpu_seconds;        /* for one request, about; checked every second */
} limn_sandbox_settings;

typedef struct limn_sandbox limn_sandbox;

/* Call it while the process has one thread, and ignores SIGPIPE from then on. `work`
 * is done once with no bytes and no settings before the doors close, so that it can open what it
 * needs. LIMN_E_UNSUPPORTED says why there can be none here; LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_sandbox_start(limn_sandbox **out, const limn_sandbox_settings *settings,
                               limn_error *err);
/* Ends the children and waits for them. Accepts NULL and *s == NULL; nulls it. */
void limn_sandbox_stop(limn_sandbox **s);

size_t limn_sandbox_n_children(const limn_sandbox *s);
/* The number of a child that no other caller has, until it is given back; n_children when all are
 * taken. Any thread. */
size_t limn_sandbox_take_child(limn_sandbox *s);
void limn_sandbox_give_child(limn_sandbox *s, size_t child);

/* Has child `child` do the work; one thread at a time for each. `settings` [settings_size] are
 * copied. Errors, and the note that a success may leave in *err, are the work's; LIMN_E_CRASHED:
 * the child died of it; LIMN_E_LIMIT: it took too much CPU time, or the request is too large;
 * LIMN_E_IO: the keeper is gone. */
limn_status limn_sandbox_run(limn_sandbox *s, size_t child, uint8_t *out, size_t out_size,
                             const void *bytes, size_t size, const void *settings,
                             size_t settings_size, limn_error *err);

#endif

/* Work on hostile bytes in sandboxed processes, which may only compute, allocate anonymous memory
 * and exit; the kernel kills them if they do anything else. A flaw in an image library then costs
 * one image rather than the run, and can't reach any file.
 *
 *     caller ── request and bytes in shared memory, a byte through a socket ─▶ child i ── work ──┐
 *        ◀── keeper: "child i has ended" ── answer and result in the same shared memory ◀────────┘
 *                keeper: the process that forks the children, sees them end, forks others
 *
 * A child serves one image and exits; its successor is forked in the meantime from a keeper that
 * has never seen an image. So one image can't affect the next, and the caller reads an answer only
 * when no process is left that could change it. It learns of a child's end from the keeper and
 * trusts nothing that a child says: bytes are bounded by the shared memory, CPU time by the kernel,
 * and wall-clock time by the caller.
 *
 * A small caller forks the keeper while there is one thread and nothing worth stealing in memory.
 * For a large one, such as a Python process, the keeper is a program of its own (`program`), as a
 * fork takes milliseconds for each hundred megabytes of the forking process, image after image.
 *
 * When the caller dies, so do they. Linux with seccomp; elsewhere, and under sanitizers and
 * valgrind, which need more system calls than that, it does not start. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define LIMN_SANDBOX_MAX_SETTINGS 3072 /* bytes */

/* Fills out [out_size] from bytes [size]. Runs in a child; its static variables are the child's own
 * and vanish with it. */
typedef limn_status (*limn_sandbox_work)(uint8_t *out, size_t out_size, const void *bytes,
                                         size_t size, const void *settings, limn_error *err);

typedef struct limn_sandbox_settings {
    limn_sandbox_work work;
    /* Makes parts that only some requests need ready, each a bit; NULL: there are none. Runs in a
     * child before it is locked down, for a request that asked for them (limn_sandbox_need), and
     * then in the keeper, whose later children have them from the start. */
    void (*prepare)(uint32_t parts);
    size_t n_children;             /* wanted; 1 … */
    size_t max_size, max_out_size; /* bytes of a request and of a result; reserved as addresses */
    size_t max_memory;             /* bytes that a child may have besides those */
    uint32_t max_cpu_seconds;      /* for one request */
    uint32_t max_seconds;          /* wall-clock time, for one request */
    /* System calls (SYS_…) that the work needs besides those of syscall_filter.h; a child has no
     * open descriptor that they could reach. [n_more_calls], kept until the sandbox is stopped. */
    const int *more_calls;
    size_t n_more_calls;
    /* The path of a program that calls limn_sandbox_host with the same work; then `work`, `prepare`
     * and the calls are that program's. NULL: the keeper is forked. */
    const char *program;
} limn_sandbox_settings;

typedef struct limn_sandbox limn_sandbox;

/* Best called while the process has one thread: the children inherit the state of other threads,
 * such as a held lock of an image library, for which they would wait until their time is up. (The C
 * library's malloc takes care of that itself.) `work` is run once, with no bytes and no settings,
 * in the keeper before any child is locked down, so that it can open what it needs. If file
 * descriptors or address space are short there are fewer children than wanted, at least one: a note
 * in *err says so. LIMN_E_UNSUPPORTED says why there can be none here; LIMN_E_IO, also for a
 * program that can't be started or is of another build; LIMN_E_NOMEM. */
limn_status limn_sandbox_start(limn_sandbox **out, const limn_sandbox_settings *settings,
                               limn_error *err);
/* Ends the children and waits for them; in a fork of the process that started it, only frees what
 * the fork has of it. Accepts NULL and *s == NULL; nulls it. */
void limn_sandbox_stop(limn_sandbox **s);

/* The only argument of a sandbox's program. */
#define LIMN_SANDBOX_ARGUMENT "keep"

/* For the main function of a sandbox's program: is the keeper of the process that started it, with
 * the work, parts and calls of `own`, and does not return then. Returns the exit code when it was
 * not started by a sandbox of this build. */
int limn_sandbox_host(const limn_sandbox_settings *own);

/* Whether this process runs under a sanitizer or valgrind. There is no sandbox then, and users need
 * no warning about it. */
bool limn_sandbox_is_watched(void);

/* For `work`, in a child: this request needs parts that are not ready here. What `work` then
 * returns is dropped, and the request goes to another child, which prepares them first. Asking
 * again for parts that were prepared for this request is an error. */
void limn_sandbox_need(uint32_t parts);

/* Has a child do the work; waits while all are busy. Any thread. `settings` [settings_size] are
 * copied. Errors (LIMN_E_FORMAT, LIMN_E_TRUNCATED, LIMN_E_UNSUPPORTED, LIMN_E_LIMIT, LIMN_E_ARG),
 * and the note that a success may leave in *err, are the work's; LIMN_E_CRASHED: the child died of
 * it, or gave an impossible answer; LIMN_E_LIMIT: it took too much memory or time, or the request
 * is too large; LIMN_E_INTERRUPTED: two seconds after *is_stopping (NULL: never); LIMN_E_IO: the
 * keeper is gone. */
limn_status limn_sandbox_run(limn_sandbox *s, uint8_t *out, size_t out_size, const void *bytes,
                             size_t size, const void *settings, size_t settings_size,
                             const atomic_bool *is_stopping, limn_error *err);

#endif

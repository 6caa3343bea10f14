/* What the processes of a sandbox share, and those that are not the caller's. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_CHILD_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "tools/annotate/sandbox/sandbox.h"

/* Through the pipe to a child; what it is about lies in the shared memory. */
typedef struct limn_sandbox_request {
    uint64_t sequence; /* 1, 2, … */
    uint64_t size, out_size;
    unsigned char settings[LIMN_SANDBOX_MAX_SETTINGS];
} limn_sandbox_request;

typedef enum limn_sandbox_answer_kind {
    LIMN_SANDBOX_READY = 1, /* a child begins; `error` when it can't have its doors closed */
    LIMN_SANDBOX_DONE,
    LIMN_SANDBOX_DIED, /* from the keeper */
} limn_sandbox_answer_kind;

/* Back through the other pipe, in one piece. From a child it may be anything. */
typedef struct limn_sandbox_answer {
    uint32_t kind;
    int32_t wait_status; /* of a child that died */
    uint64_t sequence;   /* of the request that was done */
    limn_error error;    /* its code and text; the text alone is a note */
} limn_sandbox_answer;

typedef struct limn_sandbox_channel {
    int request_in, request_out; /* ends of the pipe to the child: it reads `in` */
    int answer_in, answer_out;
    unsigned char *shared; /* [max_out_size, rounded up] result, then [max_size] bytes */
} limn_sandbox_channel;

typedef struct limn_sandbox_plan {
    limn_sandbox_settings settings;
    limn_sandbox_channel *channels; /* [n_children] */
    size_t bytes_at;                /* where in `shared` the bytes begin */
    size_t shared_size;
    pid_t *pids; /* [n_children], in memory that keeper and caller share */
} limn_sandbox_plan;

/* The whole life of the keeper, in a fresh fork of the caller's process `caller`. */
_Noreturn void limn_sandbox_keep(const limn_sandbox_plan *plan, pid_t caller);

#endif

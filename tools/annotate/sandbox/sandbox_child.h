/* What the processes of a sandbox share, and the code of the keeper and the children. */
#ifndef LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_CHILD_H
#define LIMN_TOOLS_ANNOTATE_SANDBOX_SANDBOX_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/annotate/sandbox/sandbox.h"

/* At the start of a slot's shared memory. From a child, the answer may be anything. */
typedef struct limn_sandbox_exchange {
    uint64_t size, out_size;
    uint32_t is_trial; /* only lock down, do nothing else */
    uint32_t parts;    /* to prepare before that */
    uint32_t has_answer;
    uint32_t missing; /* of the answer: parts that it needs besides */
    limn_error error; /* the work's: its code and text; the text alone is a note */
    unsigned char settings[LIMN_SANDBOX_MAX_SETTINGS];
} limn_sandbox_exchange;

/* Per slot, in memory that children unmap before they see an image. */
typedef struct limn_sandbox_control {
    _Atomic uint64_t wanted; /* number of the caller's last request: 1, 2, … */
    _Atomic uint64_t begun;  /* the request that the current child has taken; 0: none */
    _Atomic uint32_t parts;  /* of the last request */
} limn_sandbox_control;

/* From the keeper: the child that had taken a request has ended. */
typedef struct limn_sandbox_end {
    uint64_t request;
    int32_t wait_status;
} limn_sandbox_end;

#define LIMN_SANDBOX_ALL UINT64_MAX

/* To the keeper: end the child of a slot, if it still has this request; of LIMN_SANDBOX_ALL: end
 * all children, and itself. */
typedef struct limn_sandbox_kill {
    uint64_t request;
    uint64_t slot;
} limn_sandbox_kill;

/* A slot: its children, one after another, serve one request each. -1: no descriptor. */
typedef struct limn_sandbox_slot {
    int go_in, go_out;   /* a byte for each request, to the child */
    int end_in, end_out; /* limn_sandbox_end, from the keeper */
    int memory;          /* the memfd mapped at `shared`; the caller closes it */
    unsigned char
        *shared; /* exchange, result [max_out_size], bytes [max_size]; the caller's mapping */
} limn_sandbox_slot;

typedef struct limn_sandbox_plan {
    limn_sandbox_settings settings;
    limn_sandbox_slot *slots;      /* [n_slots] */
    limn_sandbox_control *control; /* [n_slots], shared */
    size_t n_slots;
    size_t out_at, bytes_at, shared_size; /* offsets in `shared` */
    int kill_in, kill_out;                /* to the keeper; it ends with the last writer, too */
    /* A memfd, owned by the caller: the order for a keeper that is a program, and `control`. */
    int board;
    size_t control_at; /* where `control` is in it */
} limn_sandbox_plan;

/* The whole life of the keeper, in a fresh child of the caller's process `caller` by its main
 * thread or another: a fork, or a program of its own, where `shared` of the slots is NULL. */
_Noreturn void limn_sandbox_keep(const limn_sandbox_plan *plan, pid_t caller, bool is_main_thread);

#endif

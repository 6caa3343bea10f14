/* Counts the inputs in the background, to estimate the time left. Only where no list is read. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_INPUT_COUNT_H
#define LIMN_TOOLS_ANNOTATE_INPUT_INPUT_COUNT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/annotate/annotate.h"

typedef struct limn_input_count {
    const limn_inputs *inputs;
    pthread_t thread;
    bool is_running;
    atomic_bool is_stopped;
    atomic_size_t n_inputs; /* 0 until all are counted */
} limn_input_count;

/* `inputs` is borrowed until limn_input_count_finish, which must be called. Without `is_wanted`
 * nothing is counted. The thread inherits the caller's signal mask. */
void limn_input_count_start(limn_input_count *c, const limn_inputs *inputs, bool is_wanted);
size_t limn_input_count_get(limn_input_count *c); /* 0: not known yet, or never */
void limn_input_count_finish(limn_input_count *c);

#endif

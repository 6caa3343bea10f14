/* How many inputs there will be, counted beside the work, so that the progress line can tell the
 * time left. Only where that line is shown and no list is read. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_INPUT_COUNT_H
#define LIMN_TOOLS_ANNOTATE_INPUT_INPUT_COUNT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/annotate/pipeline/pipeline.h"

typedef struct limn_input_count {
    const limn_pipeline_settings *settings;
    pthread_t thread;
    bool is_running;
    atomic_bool is_stopped;
    atomic_size_t n_inputs; /* 0 until all are counted */
} limn_input_count;

/* `settings` is borrowed until limn_input_count_finish, which must be called. */
void limn_input_count_start(limn_input_count *c, const limn_pipeline_settings *settings);
size_t limn_input_count_get(limn_input_count *c); /* 0: not known yet, or never */
void limn_input_count_finish(limn_input_count *c);

#endif

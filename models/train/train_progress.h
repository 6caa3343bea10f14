/* How long-running work in the training library reports progress and is asked to stop. */
#ifndef LIMN_MODELS_TRAIN_TRAIN_PROGRESS_H
#define LIMN_MODELS_TRAIN_TRAIN_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Called in the thread that started the work, from time to time and at its end. False asks to stop:
 * the work then ends with LIMN_E_INTERRUPTED, and unfinished files are not created. */
typedef bool limn_train_progress_fn(void *ctx, size_t done, size_t total);

typedef struct limn_train_progress {
    limn_train_progress_fn *report; /* NULL: no reports */
    void *ctx;
} limn_train_progress;

#endif

/* What training reports to the program that runs it, and where it asks whether to go on. The
 * library prints nothing: the program decides what to show. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_LISTENER_H
#define LIMN_MODELS_TRAIN_TRAINING_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "models/train/run.h"
#include "models/train/stage.h"
#include "models/train/train_progress.h"

typedef enum limn_training_level {
    LIMN_TRAINING_NOTE,    /* for verbose output */
    LIMN_TRAINING_INFO,    /* results */
    LIMN_TRAINING_WARNING, /* possibly not what was intended */
    LIMN_TRAINING_ERROR,   /* something requested was left out; training goes on */
} limn_training_level;

/* All are called in the thread that runs the training; each may be NULL. */
typedef struct limn_training_listener {
    /* One message, without a line end. */
    void (*say)(void *ctx, limn_training_level level, const char *text);
    /* Counted work begins, e.g. "images read"; NULL: it is over. */
    void (*work)(void *ctx, const char *what);
    /* Its progress; false asks to stop (train_progress.h). */
    limn_train_progress_fn *progress;
    /* After each step of a stage; false asks to stop (run.h). */
    bool (*step)(void *ctx, limn_stage stage, const limn_run_report *report);
    void *ctx;
} limn_training_listener;

/* ---- for the reporting code; `l` is not NULL
 * ------------------------------------------------------ */

void limn_training_say(const limn_training_listener *l, limn_training_level level, const char *fmt,
                       ...) LIMN_PRINTF(3, 4);
void limn_training_work(const limn_training_listener *l, const char *what);
limn_train_progress limn_training_progress(const limn_training_listener *l);

#endif

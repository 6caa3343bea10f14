/* What a training tells the program that runs it, and where it asks whether to go on. The library
 * prints nothing: a program shows of this what it likes. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_LISTENER_H
#define LIMN_MODELS_TRAIN_TRAINING_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"
#include "models/train/run.h"
#include "models/train/stage.h"
#include "models/train/train_progress.h"

typedef enum limn_training_level {
    LIMN_TRAINING_NOTE,    /* for who wants to know all */
    LIMN_TRAINING_INFO,    /* what came of it */
    LIMN_TRAINING_WARNING, /* may not be what was meant */
    LIMN_TRAINING_ERROR,   /* something was left out that was asked for; the training goes on */
} limn_training_level;

/* All are called in the thread that runs the training; each may be NULL. */
typedef struct limn_training_listener {
    /* One message, without a line end. */
    void (*say)(void *ctx, limn_training_level level, const char *text);
    /* Work begins that is counted: "images read". NULL: it is over. */
    void (*work)(void *ctx, const char *what);
    /* How far it is; false asks to stop (train_progress.h). */
    limn_train_progress_fn *progress;
    /* After each step of a stage; false asks to stop (run.h). */
    bool (*step)(void *ctx, limn_stage stage, const limn_run_report *report);
    void *ctx;
} limn_training_listener;

/* ---- for what tells; `l` is not NULL ------------------------------------------------------ */

void limn_training_say(const limn_training_listener *l, limn_training_level level, const char *fmt,
                       ...) LIMN_PRINTF(3, 4);
void limn_training_work(const limn_training_listener *l, const char *what);
limn_train_progress limn_training_progress(const limn_training_listener *l);

#endif

/* What limn-train shows of a training: messages, a progress line, and the page of the run. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_MESSAGES_H
#define LIMN_TOOLS_TRAIN_TRAIN_MESSAGES_H

#include "models/train/run_folder.h"
#include "models/train/training_data.h"
#include "models/train/training_listener.h"

typedef struct limn_train_messages {
    limn_run_folder *folder;        /* borrowed; NULL until there is one */
    const limn_training_data *data; /* borrowed; its images are on the page */
    double page_written;            /* when; of limn_clock_seconds */
} limn_train_messages;

/* On standard error, and run.html in the folder. Asks to stop after a signal. `m` is borrowed. */
limn_training_listener limn_train_messages_listener(limn_train_messages *m);

/* run.html from the log as it is. Errors of limn_run_page_write. */
limn_status limn_train_messages_write_page(limn_train_messages *m, limn_error *err);

#endif

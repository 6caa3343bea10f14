/* The development pictures of a run, to choose the model by. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_DEV_H
#define LIMN_TOOLS_TRAIN_TRAIN_DEV_H

#include "models/train/dev_score.h"
#include "tools/train/train_data.h"

typedef struct limn_train_dev {
    limn_dev_set *set; /* NULL when there are none */
    limn_cached_pictures pixels;
    const char **names;      /* [n_pictures] */
    const char **references; /* [n_pictures, 2] for the log; the second may be NULL */
} limn_train_dev;

/* `data`, with its pictures, is borrowed. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_train_dev_open(limn_train_dev *out, const limn_train_data *data, limn_error *err);
void limn_train_dev_close(limn_train_dev *dev); /* accepts a zeroed one */

#endif

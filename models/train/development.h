/* The development images of a run, by which the best model is chosen. */
#ifndef LIMN_MODELS_TRAIN_DEVELOPMENT_H
#define LIMN_MODELS_TRAIN_DEVELOPMENT_H

#include "models/train/dev_score.h"
#include "models/train/training_data.h"

typedef struct limn_development {
    limn_dev_set *set; /* NULL when there are none */
    limn_cached_images pixels;
    const char **names;      /* [n_images] */
    const char **references; /* [n_images, 2] for the log; the second may be NULL */
} limn_development;

/* `data`, with its images, is borrowed. LIMN_E_ARG, LIMN_E_NOMEM. */
limn_status limn_development_open(limn_development *out, const limn_training_data *data,
                                  limn_error *err);
void limn_development_close(limn_development *dev); /* accepts a zeroed one */

#endif

/* The references of the reward stage: the captions of the paired images, and for each unpaired
 * image the captions that fit it best; and extra text for the document frequencies. */
#ifndef LIMN_MODELS_TRAIN_REWARD_REFERENCES_H
#define LIMN_MODELS_TRAIN_REWARD_REFERENCES_H

#include "common/base/status.h"
#include "models/train/trainer.h"
#include "models/train/training_data.h"

typedef struct limn_reward_references {
    const char **names;     /* [n_images], borrowed from the data */
    size_t *first_captions; /* [n_images + 1] */
    size_t *offsets;        /* [number of captions + 1] */
    uint32_t *tokens;
    limn_references text; /* of the data */
    size_t n_images, n_captions;
    size_t names_capacity, captions_capacity, offsets_capacity, tokens_capacity;
} limn_reward_references;

/* Fills `out` and points the references of `settings` at it; the data are borrowed until it is
 * finished. LIMN_E_NOMEM. */
limn_status limn_reward_references_set(limn_reward_references *out, limn_trainer_settings *settings,
                                       const limn_training_data *data, bool has_unpaired,
                                       limn_error *err);
void limn_reward_references_finish(limn_reward_references *r); /* accepts a zeroed one; zeroes it */

#endif

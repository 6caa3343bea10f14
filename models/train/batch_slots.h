/* The tag slots of a batch's images: the frozen head's predictions from the features of the views
 * in the batch. */
#ifndef LIMN_MODELS_TRAIN_BATCH_SLOTS_H
#define LIMN_MODELS_TRAIN_BATCH_SLOTS_H

#include "common/base/pool.h"
#include "models/tag_slots.h"

typedef struct limn_batch_slots limn_batch_slots; /* one thread at a time */

/* For up to max_images. `tagger` (NULL: none) and `pool` (may be NULL) are borrowed. *out is NULL
 * for a decoder without slots. Errors of limn_tag_slots_check, LIMN_E_NOMEM. */
limn_status limn_batch_slots_create(limn_batch_slots **out, const limn_decoder_config *config,
                                    const limn_tagger *tagger, size_t max_images, limn_pool *pool,
                                    limn_error *err);
void limn_batch_slots_destroy(limn_batch_slots **b); /* accepts NULL and *b == NULL; nulls it */

/* [n_images, n_tag_slots] of features [n_images, n_memory_positions, memory_dim], valid until
 * the next call; NULL where `b` is NULL. */
const limn_tag_slot *limn_batch_slots_find(limn_batch_slots *b, const float *features,
                                           size_t n_images);

#endif

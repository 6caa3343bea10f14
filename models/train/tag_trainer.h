/* Trains a head for the 80 objects on a frozen encoder's features and a detector's labels: one
 * hidden layer on mean and maximum of the features (models/tag_heads.h), an independent sigmoid for
 * each object, minibatches of AdamW with dropout. Seconds to a minute for 5000 images. */
#ifndef LIMN_MODELS_TRAIN_TAG_TRAINER_H
#define LIMN_MODELS_TRAIN_TAG_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "common/io/object_labels.h"
#include "models/tag_heads.h"

typedef struct limn_tag_settings {
    uint32_t n_hidden, n_epochs, batch_size; /* 1 … LIMN_TAGS_MAX_HIDDEN; 0 …; 1 … */
    float rate, weight_decay;
    float dropout; /* of the hidden layer, 0 … 0.9 */
    uint64_t seed;
    limn_pool *pool; /* may be NULL; results don't depend on it */
} limn_tag_settings;

limn_tag_settings limn_tag_settings_default(void);

/* pooled [2, dim]: mean and maximum of features [n_positions, dim] in f16, in the order of sums
 * that models/tagger.h has. */
void limn_tag_pool(float *pooled, const uint16_t *features, size_t n_positions, size_t dim);
/* targets [LIMN_N_OBJECTS]: how surely an image shows each class, by its best box: 0 up to a score
 * of 0.25, 1 from 0.6 on, linear in between. */
void limn_tag_targets(float *targets, const limn_object_labels *labels, size_t image);

/* Trains a head on pooled [n, 2 dim] and targets [n, LIMN_N_OBJECTS] and adds it to `heads` as
 * LIMN_OBJECTS_SET. *loss (may be NULL): cross-entropy per image over the last epoch. Call
 * limn_gemm_init first. LIMN_E_ARG (no image, settings), LIMN_E_NOMEM. */
limn_status limn_tag_head_train(limn_tag_heads *heads, double *loss, const float *pooled,
                                const float *targets, size_t n, size_t dim,
                                const limn_tag_settings *settings, limn_error *err);

#endif

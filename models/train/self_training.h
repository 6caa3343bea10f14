/* A round of self-training: a model rates which of the captions that name an image's objects fit
 * the image. A caption's agreement is the mean, over its words and its end, of the log-probability
 * with the image minus that without: what the image contributes, so that generic phrases count for
 * nothing. Words outside the model's vocabulary are skipped.
 *
 *     float *agreement = limn_calloc(n_images * LIMN_AGREEMENT_MAX_CAPTIONS, sizeof *agreement);
 *     limn_self_training_agree(agreement, &opinion, err);
 *     limn_self_training_apply(pairing, n_images, agreement, n_kept);
 *
 * Agreements don't depend on the number of threads. */
#ifndef LIMN_MODELS_TRAIN_SELF_TRAINING_H
#define LIMN_MODELS_TRAIN_SELF_TRAINING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/pool.h"
#include "models/captioner.h"
#include "models/train/cached_images.h"
#include "models/train/pairing.h"
#include "models/train/train_progress.h"

/* The number of candidates rated per image: the heaviest ones. */
enum { LIMN_AGREEMENT_MAX_CAPTIONS = 32 };

/* All is borrowed. */
typedef struct limn_opinion {
    const limn_model *model;
    const limn_pairing *pairing;
    limn_image_source pixels;
    size_t n_images;             /* as many as the pairing has */
    const char *const *captions; /* [n_captions] that the pairing was made with */
    size_t n_captions;
    limn_pool *pool;              /* may be NULL */
    limn_train_progress progress; /* in images */
} limn_opinion;

/* agreement [n_images, LIMN_AGREEMENT_MAX_CAPTIONS] of each image's candidates in their order;
 * -INFINITY for a caption that is longer than the model's can be and beyond the last candidate.
 * LIMN_E_NOMEM, LIMN_E_INTERRUPTED (when the progress says so), LIMN_E_FORMAT (no UTF-8), errors of
 * reading images. */
limn_status limn_self_training_agree(float *agreement, const limn_opinion *opinion,
                                     limn_error *err);

/* Sets the pairing's scores, agreement times a factor, and keeps the n_kept (>= 1) heaviest
 * candidates of each image. */
limn_status limn_self_training_apply(limn_pairing *pairing, size_t n_images, const float *agreement,
                                     size_t n_kept, limn_error *err);

#endif

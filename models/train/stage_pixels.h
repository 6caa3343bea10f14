/* Pixels for a stage that trains the whole encoder: every image is augmented afresh each time, in
 * background threads while the step before is computed. */
#ifndef LIMN_MODELS_TRAIN_STAGE_PIXELS_H
#define LIMN_MODELS_TRAIN_STAGE_PIXELS_H

#include "models/train/batches.h"
#include "models/train/training_data.h"

typedef struct limn_stage_pixels limn_stage_pixels;

/* `ahead` yields the same batches as the run, and is used to look ahead; it belongs to the pixels
 * from now on. `n_sources`: paired images, and unpaired ones. LIMN_E_NOMEM, LIMN_E_ARG. */
limn_status limn_stage_pixels_create(limn_stage_pixels **out, const limn_training_data *data,
                                     limn_batches *ahead, size_t n_sources, limn_error *err);
void limn_stage_pixels_destroy(limn_stage_pixels **p); /* accepts NULL and *p == NULL; nulls it */

/* *pixels [batch->n_images, height, width, 3], valid until the next call. Batches must come in the
 * order of their steps, starting at any step. LIMN_E_NOMEM. */
limn_status limn_stage_pixels_fill(limn_stage_pixels *p, const limn_batch *batch,
                                   const uint8_t **pixels, limn_error *err);

#endif

/* Pixels for a stage that trains the whole encoder: every picture anew each time, changed by
 * augmentation in threads of their own while the step before is computed. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_PIXELS_H
#define LIMN_TOOLS_TRAIN_TRAIN_PIXELS_H

#include "models/train/batches.h"
#include "tools/train/train_data.h"

typedef struct limn_train_pixels limn_train_pixels;

/* `ahead` are batches equal to those of the run, to look at what comes next; they belong to the
 * pixels from now on. `n_sources`: paired pictures, and unpaired ones. LIMN_E_NOMEM, LIMN_E_ARG. */
limn_status limn_train_pixels_create(limn_train_pixels **out, const limn_train_data *data,
                                     limn_batches *ahead, size_t n_sources, limn_error *err);
void limn_train_pixels_destroy(limn_train_pixels **p); /* accepts NULL and *p == NULL; nulls it */

/* *pixels [batch->n_pictures, height, width, 3], valid until the next call. Batches come
 * in the order of their steps, from any one on. LIMN_E_NOMEM. */
limn_status limn_train_pixels_fill(limn_train_pixels *p, const limn_batch *batch,
                                   const uint8_t **pixels, limn_error *err);

#endif

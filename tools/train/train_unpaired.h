/* Pictures without captions and captions without pictures, matched by the objects in both. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_UNPAIRED_H
#define LIMN_TOOLS_TRAIN_TRAIN_UNPAIRED_H

#include <stdint.h>

#include "common/base/pool.h"
#include "common/io/object_labels.h"
#include "models/train/batches.h"
#include "models/train/pairing.h"
#include "models/train/pixel_cache.h"
#include "models/train/training_set.h"
#include "models/train/training_settings.h"

typedef struct limn_train_unpaired {
    limn_training_set text; /* the captions; also of the text stage alone */
    limn_object_labels labels;
    limn_picture_names names; /* of the pictures */
    uint32_t *numbers;        /* [number of names] their numbers in `labels` */
    limn_pixel_cache pixels;
    limn_pairing *pairing;  /* NULL without --unpaired-images */
    limn_caption_draw draw; /* from it */
} limn_train_unpaired;

/* Reads --text and --objects, as far as they are given, and finds captions for the pictures. Errors
 * of the parts. */
limn_status limn_train_unpaired_read(limn_train_unpaired *out,
                                     const limn_training_settings *training,
                                     const limn_vocab *vocab, limn_error *err);
/* Decodes --unpaired-images into `path`.npy and leaves out those that can't be read. Does nothing
 * when there are none. */
limn_status limn_train_unpaired_load(limn_train_unpaired *u, const limn_training_settings *training,
                                     const limn_pixel_cache_settings *settings, const char *path,
                                     limn_error *err);
/* Keeps of each picture's captions the --self-training ones that the --init model finds to fit
 * best; its opinion is kept in the file `path` for a run that goes on. Nothing without that option.
 * LIMN_E_INTERRUPTED, LIMN_E_IO, errors of opening the model. */
limn_status limn_train_unpaired_select(limn_train_unpaired *u,
                                       const limn_training_settings *training, const char *path,
                                       limn_pool *pool, limn_error *err);
void limn_train_unpaired_finish(limn_train_unpaired *u); /* accepts a zeroed one */

/* Names, boxes and captions, for the fingerprint of a run. */
uint64_t limn_train_unpaired_hash(const limn_train_unpaired *u, uint64_t hash);

#endif

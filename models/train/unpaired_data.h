/* Images without captions and captions without images, matched by the objects in both. */
#ifndef LIMN_MODELS_TRAIN_UNPAIRED_DATA_H
#define LIMN_MODELS_TRAIN_UNPAIRED_DATA_H

#include <stdint.h>

#include "common/base/pool.h"
#include "common/io/object_labels.h"
#include "models/train/batches.h"
#include "models/train/pairing.h"
#include "models/train/pixel_cache.h"
#include "models/train/training_listener.h"
#include "models/train/training_set.h"
#include "models/train/training_settings.h"

typedef struct limn_unpaired_data {
    const limn_training_listener *listener; /* borrowed */
    limn_training_set text;                 /* the captions; also of the text stage alone */
    limn_training_set reward_text; /* captions for the document frequencies of the reward */
    limn_object_labels labels;
    limn_image_names names; /* of the images */
    uint32_t *numbers;      /* [number of names] their numbers in `labels` */
    limn_pixel_cache pixels;
    limn_pairing *pairing;  /* NULL without such images */
    limn_caption_draw draw; /* from it */
} limn_unpaired_data;

/* Reads captions and objects, as far as the settings name files, and finds captions for the
 * images. Errors of the parts. */
limn_status limn_unpaired_data_read(limn_unpaired_data *out, const limn_training_settings *training,
                                    const limn_vocab *vocab, const limn_training_listener *listener,
                                    limn_error *err);
/* Decodes the folder of the settings into `path`.npy and leaves out those that can't be read. Does
 * nothing when there are none. */
limn_status limn_unpaired_data_load(limn_unpaired_data *u, const limn_training_settings *training,
                                    const limn_pixel_cache_settings *settings, const char *path,
                                    limn_error *err);
/* Keeps, for each image, the n_self_training captions that the starting model rates highest; the
 * ratings are kept in the file `path` for a resumed run. Does nothing if n_self_training is 0.
 * LIMN_E_INTERRUPTED, LIMN_E_IO, errors of opening the model. */
limn_status limn_unpaired_data_select(limn_unpaired_data *u, const limn_training_settings *training,
                                      const char *path, limn_pool *pool, limn_error *err);
void limn_unpaired_data_finish(limn_unpaired_data *u); /* accepts a zeroed one */

/* Names, boxes and captions, for the fingerprint of a run. */
uint64_t limn_unpaired_data_hash(const limn_unpaired_data *u, uint64_t hash);

#endif

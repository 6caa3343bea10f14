/* What a run trains on: images, captions, words, and the model it starts from. */
#ifndef LIMN_MODELS_TRAIN_TRAINING_DATA_H
#define LIMN_MODELS_TRAIN_TRAINING_DATA_H

#include <stdint.h>

#include "common/base/pool.h"
#include "common/io/captions.h"
#include "models/model_file.h"
#include "models/document_frequencies.h"
#include "models/train/pixel_cache.h"
#include "models/train/training_listener.h"
#include "models/train/training_set.h"
#include "models/train/training_settings.h"
#include "models/train/unpaired_data.h"

typedef struct limn_training_data {
    const limn_training_settings *settings;
    const limn_training_listener *listener;
    limn_model_file base;     /* starting model: settings->model.encoder or .init */
    limn_model_config config; /* of the model that is made */
    const limn_vocab *vocab;  /* base.vocab or own_vocab */
    limn_vocab *own_vocab;
    limn_caption_file captions;
    limn_image_names train_names, dev_names, all_names;
    limn_training_set train, dev;
    limn_document_frequencies *frequencies; /* of train; NULL without captions */
    limn_pixel_cache pixels; /* of all_names; empty until limn_training_data_load_images */
    limn_unpaired_data unpaired;
    /* How images are decoded, as of limn_pixel_cache_settings: for the caller to set after
     * reading; NULL: in this process. */
    limn_pixel_load_fn *load;
    void *load_ctx;
} limn_training_data;

/* Reads model, lists and words; no images. `captions` (zeroed without any) are those of the file
 * that the settings name; they are taken over and zeroed. Tells the listener what was left out.
 * Errors of the parts. `settings` and `listener` are borrowed. */
limn_status limn_training_data_read(limn_training_data *out, const limn_training_settings *settings,
                                    limn_caption_file *captions,
                                    const limn_training_listener *listener, limn_error *err);
/* Decodes the images into caches in the folder `cache`, reports the unreadable ones to the listener
 * and removes them from the sets. */
limn_status limn_training_data_load_images(limn_training_data *data, const char *cache,
                                           limn_pool *pool, limn_error *err);
void limn_training_data_finish(limn_training_data *data); /* accepts a zeroed one */

/* A hash of everything that the result of a run depends on besides its options. */
uint64_t limn_training_data_fingerprint(const limn_training_data *data);

#endif

/* What a run trains on: pictures, captions, words, and the model it begins
 * with. */
#ifndef LIMN_TOOLS_TRAIN_TRAIN_DATA_H
#define LIMN_TOOLS_TRAIN_TRAIN_DATA_H

#include <stdint.h>

#include "common/base/pool.h"
#include "common/io/captions.h"
#include "models/model_file.h"
#include "models/document_frequencies.h"
#include "models/train/pixel_cache.h"
#include "models/train/training_set.h"
#include "models/train/training_settings.h"
#include "tools/annotate/annotate.h"
#include "tools/train/train_unpaired.h"

typedef struct limn_train_data {
    const limn_training_settings *settings;
    limn_model_file base;     /* --encoder or --init */
    limn_model_config config; /* of the model that is made */
    const limn_vocab *vocab;  /* base.vocab or own_vocab */
    limn_vocab *own_vocab;
    limn_caption_file captions;
    limn_picture_names train_names, dev_names, all_names;
    limn_training_set train, dev;
    limn_document_frequencies *frequencies; /* of train; NULL without captions */
    limn_pixel_cache pixels; /* of all_names; empty until limn_train_data_load_pictures */
    limn_train_unpaired unpaired;
    limn_decoders *decoders; /* for pictures, borrowed; NULL: they are decoded in this process */
} limn_train_data;

/* Reads model, captions, lists and words; no pictures. Says on standard error
 * what was left out. Errors of the parts. `training` is borrowed. */
limn_status limn_train_data_read(limn_train_data *out, const limn_training_settings *training,
                                 limn_error *err);
/* Decodes the pictures into caches in the folder `cache`, names the unreadable ones on standard
 * error and takes them out of the sets. */
limn_status limn_train_data_load_pictures(limn_train_data *data, const char *cache, limn_pool *pool,
                                          limn_error *err);
void limn_train_data_finish(limn_train_data *data); /* accepts a zeroed one */

/* Of all that the result of a run depends on besides its options. */
uint64_t limn_train_data_fingerprint(const limn_train_data *data);

#endif

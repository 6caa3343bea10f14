/* The development images whose captions the page of a run shows, small, in a file of its folder:
 * {"NAME": "data:image/jpeg;base64,…", …}. */
#ifndef LIMN_MODELS_TRAIN_SAMPLE_IMAGES_H
#define LIMN_MODELS_TRAIN_SAMPLE_IMAGES_H

#include <jansson.h>

#include "models/train/training_data.h"

/* Writes them to `path`, unless there is such a file: the images of a run stay. `data` has its
 * images, as the encoder sees them; nothing is written without development images. LIMN_E_IO,
 * LIMN_E_NOMEM. */
limn_status limn_sample_images_write(const char *path, const limn_training_data *data,
                                     limn_error *err);

/* The object of such a file, but only what are JPEG images in it; empty when there is no such
 * file. NULL when memory is short. The caller lets go of it. */
json_t *limn_sample_images_read(const char *path);

#endif

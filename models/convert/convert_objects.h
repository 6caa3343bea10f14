/* A head for objects, trained on a feature cache and a detector's labels. */
#ifndef LIMN_MODELS_CONVERT_CONVERT_OBJECTS_H
#define LIMN_MODELS_CONVERT_CONVERT_OBJECTS_H

#include "models/convert/convert_tensors.h"

typedef struct convert_objects {
    size_t n_images; /* with features and labels: what the head was trained on */
    double loss;     /* cross-entropy per image over the last epoch */
} convert_objects;

/* Trains on the images that occur in both: `labels_path` as common/io/object_labels.h, `cache` as
 * limn-preprocess --features makes it with this encoder. Adds the head to the result's tags, before
 * it is narrowed. LIMN_E_ARG when no image is in both; errors of reading; LIMN_E_NOMEM. */
limn_status convert_objects_train(convert_objects *out, convert_result *r, const char *labels_path,
                                  const char *cache, limn_error *err);

#endif

/* The heads that recognise concepts: from a classifier's weights, or from another model file. */
#ifndef LIMN_MODELS_CONVERT_CONVERT_TAGS_H
#define LIMN_MODELS_CONVERT_CONVERT_TAGS_H

#include "models/convert/convert_tensors.h"

/* Those of the source: a model's own, or the classifier of 1000 classes of EfficientNet-Lite
 * weights as "imagenet". Having none is not an error. LIMN_E_FORMAT, LIMN_E_NOMEM. */
limn_status convert_tags_take(convert_result *r, convert_source *source, limn_error *err);

/* Adds those of the model file at `path`, in place of ones of the same set. Its encoder must be the
 * result's: the same values, to the precision of f16. Call it before the result is narrowed.
 * LIMN_E_ARG (another encoder, no tags), and the errors of opening. */
limn_status convert_tags_merge(convert_result *r, const char *path, limn_error *err);

#endif

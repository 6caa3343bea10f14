/* The mean of the weights of several models. */
#ifndef LIMN_MODELS_CONVERT_AVERAGE_H
#define LIMN_MODELS_CONVERT_AVERAGE_H

#include "models/convert/convert_tensors.h"

/* Averages `result`, the model at paths[0], with those of paths[1 … n_paths - 1], which must have
 * its architecture, preprocessing and vocabulary, in double precision; everything else stays that
 * of the first. LIMN_E_ARG names what differs; other errors as those of convert_tensors. */
limn_status convert_average(convert_result *result, char *const *paths, size_t n_paths,
                            bool is_encoder_only, limn_error *err);

#endif

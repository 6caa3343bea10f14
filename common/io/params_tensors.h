/* Parameters in training as tensors: what checkpoints, exports, and models that are built from a
 * running training read. Views only: nothing is copied, names and values stay the parameters'. */
#ifndef LIMN_COMMON_IO_PARAMS_TENSORS_H
#define LIMN_COMMON_IO_PARAMS_TENSORS_H

#include "common/base/params.h"
#include "common/io/safetensors.h"

/* tensors [params->n_items]: all parameters in order, F32, by the model file's names. `block` is
 * laid out as params->values: those, or a moving average of them. */
void limn_params_tensors(limn_tensor *tensors, const limn_params *params, const float *block);

/* The same as a file, for limn_decoder_open, limn_decoder_reload or limn_encoder_open: sees the
 * block as it is when it is read. `params` and `block` outlive it. LIMN_E_NOMEM. */
limn_status limn_params_open(limn_safetensors **out, const limn_params *params, const float *block,
                             limn_error *err);

#endif

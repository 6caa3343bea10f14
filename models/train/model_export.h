/* A model file from parameters in training. */
#ifndef LIMN_MODELS_TRAIN_MODEL_EXPORT_H
#define LIMN_MODELS_TRAIN_MODEL_EXPORT_H

#include "common/base/params.h"
#include "models/model_file.h"

typedef struct limn_model_export {
    const limn_model_config *config;
    const limn_vocab *vocab;
    const limn_params *params; /* what is in training */
    const float *values;       /* params->values, or a block of that layout (the moving average) */
    const limn_safetensors *base;     /* source of the tensors that are not in training */
    limn_tensor_dtype dtype;          /* of matrices: LIMN_TENSOR_F32 or LIMN_TENSOR_F16 */
    const limn_tensor *extra_tensors; /* [n_extra_tensors] stored as they are */
    size_t n_extra_tensors;
    const limn_metadata_item *extra; /* [n_extra] */
    size_t n_extra;
} limn_model_export;

/* Writes atomically. LIMN_E_FORMAT (a tensor is neither in training nor in `base`), LIMN_E_LIMIT (a
 * value that F16 can't hold), LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_model_export_write(const char *path, const limn_model_export *e, limn_error *err);

#endif

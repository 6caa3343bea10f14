/* Packs layers' weights directly from a model file. */
#ifndef LIMN_COMMON_KERNELS_PACK_TENSOR_H
#define LIMN_COMMON_KERNELS_PACK_TENSOR_H

#include "common/io/safetensors.h"
#include "common/kernels/pack.h"

/* Packs the tensors "NAME.weight" [n_outputs, n_inputs] and "NAME.bias" [n_outputs] of `file`.
 * Free with limn_packed_finish(). LIMN_E_FORMAT names a tensor that is missing or of another type
 * or shape; LIMN_E_NOMEM. */
limn_status limn_packed_load(limn_packed *out, const limn_safetensors *file, const char *name,
                             size_t n_outputs, size_t n_inputs, limn_dtype packed_dtype,
                             limn_error *err);

/* The tensor `name` of exactly this shape as f32, in memory of its own; the caller frees with
 * limn_free(). Errors as above. */
limn_status limn_tensor_load(float **out, const limn_safetensors *file, const char *name,
                             size_t n_dims, const size_t *shape, limn_error *err);

#endif

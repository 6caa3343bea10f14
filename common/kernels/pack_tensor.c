#include "common/kernels/pack_tensor.h"

#include <stdio.h>

#include "common/base/mem.h"

limn_status limn_tensor_load(float **out, const limn_safetensors *file, const char *name,
                             size_t n_dims, const size_t *shape, limn_error *err)
{
    const limn_tensor *t;
    *out = NULL;
    LIMN_TRY(limn_safetensors_require(&t, file, name, n_dims, shape, err));
    *out = limn_alloc_aligned(t->size / limn_tensor_dtype_size(t->dtype), sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "no memory for tensor '%s'", name);
    limn_tensor_to_f32(*out, t);
    return LIMN_OK;
}

limn_status limn_packed_load(limn_packed *out, const limn_safetensors *file, const char *name,
                             size_t n_outputs, size_t n_inputs, limn_dtype packed_dtype,
                             limn_error *err)
{
    const limn_tensor *weight;
    char tensor_name[128];
    float *bias;
    *out = (limn_packed){ 0 };
    snprintf(tensor_name, sizeof tensor_name, "%s.weight", name);
    LIMN_TRY(limn_safetensors_require(&weight, file, tensor_name, 2,
                                      (const size_t[]){ n_outputs, n_inputs }, err));
    snprintf(tensor_name, sizeof tensor_name, "%s.bias", name);
    LIMN_TRY(limn_tensor_load(&bias, file, tensor_name, 1, &n_outputs, err));
    const limn_dtype dtype = weight->dtype == LIMN_TENSOR_F16 ? LIMN_F16 : LIMN_F32;
    const limn_status status =
        limn_packed_init(out, weight->data, dtype, bias, n_outputs, n_inputs, packed_dtype, err);
    limn_free(bias);
    return status;
}

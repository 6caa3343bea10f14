#include "common/io/params_tensors.h"

#include <string.h>

#include "common/base/mem.h"

void limn_params_tensors(limn_tensor *tensors, const limn_params *params, const float *block)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        tensors[i] = (limn_tensor){ .name = p->name,
                                    .dtype = LIMN_TENSOR_F32,
                                    .n_dims = p->n_dims,
                                    .data = block + p->offset,
                                    .size = p->n * sizeof *block };
        memcpy(tensors[i].shape, p->shape, p->n_dims * sizeof *p->shape);
    }
}

limn_status limn_params_open(limn_safetensors **out, const limn_params *params, const float *block,
                             limn_error *err)
{
    limn_tensor *tensors = limn_calloc(params->n_items, sizeof *tensors);
    *out = NULL;
    if (!tensors) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu tensors", params->n_items);
    limn_params_tensors(tensors, params, block);
    const limn_status status = limn_safetensors_from_tensors(out, tensors, params->n_items, err);
    limn_free(tensors);
    return status;
}

#include "common/weights/table_params.h"

#include <stdint.h>
#include <string.h>

limn_status limn_table_params_add(limn_params *params, const limn_tensor_table *table,
                                  uint32_t first_stage, float rate, limn_error *err)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    for (size_t i = 0; i < table->n_rows; i++) {
        if (table->rows[i].stage < first_stage) continue;
        const size_t n = limn_tensor_row_specs(specs, &table->rows[i]);
        for (size_t k = 0; k < n; k++) {
            LIMN_TRY(limn_params_add(params, specs[k].name, specs[k].n_dims, specs[k].shape,
                                     specs[k].may_be_half, err));
            params->items[params->n_items - 1].rate = rate;
        }
    }
    return LIMN_OK;
}

limn_status limn_params_read(limn_params *params, const char *prefix, const limn_safetensors *file,
                             limn_error *err)
{
    for (size_t i = 0; i < params->n_items; i++) {
        const limn_param *p = &params->items[i];
        const limn_tensor *tensor;
        if (strncmp(p->name, prefix, strlen(prefix)) != 0) continue;
        LIMN_TRY(limn_safetensors_require(&tensor, file, p->name, p->n_dims, p->shape, err));
        limn_tensor_to_f32(params->values + p->offset, tensor);
    }
    return LIMN_OK;
}

static limn_status find_one(size_t *offset, const limn_params *params, const limn_tensor_spec *spec,
                            limn_error *err)
{
    const limn_param *p = limn_params_find(params, spec->name);
    size_t n = 1;
    for (size_t i = 0; i < spec->n_dims; i++) n *= spec->shape[i];
    if (!p || p->n != n)
        return limn_fail(err, LIMN_E_ARG, "parameter '%s' of %zu values is missing", spec->name, n);
    *offset = p->offset;
    return LIMN_OK;
}

limn_status limn_row_find(limn_row_at *out, const limn_params *params, const limn_tensor_row *row,
                          limn_error *err)
{
    limn_tensor_spec specs[LIMN_ROW_MAX_TENSORS];
    const size_t n = limn_tensor_row_specs(specs, row);
    out->bias = SIZE_MAX;
    LIMN_TRY(find_one(&out->weight, params, &specs[0], err));
    return n > 1 ? find_one(&out->bias, params, &specs[1], err) : LIMN_OK;
}

#include "models/train/model_export.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/pack.h"
#include "models/model_tensors.h"

static size_t n_values(const limn_tensor_spec *spec)
{
    size_t n = 1;
    for (size_t i = 0; i < spec->n_dims; i++) n *= spec->shape[i];
    return n;
}

/* Copies the values of a tensor from the parameters or from `base`. */
static limn_status find_values(float *out, const limn_model_export *e, const limn_tensor_spec *spec,
                               limn_error *err)
{
    const limn_param *p = limn_params_find(e->params, spec->name);
    const limn_tensor *tensor;
    if (p && p->n == n_values(spec)) {
        memcpy(out, e->values + p->offset, p->n * sizeof *out);
        return LIMN_OK;
    }
    LIMN_TRY(
        limn_safetensors_require(&tensor, e->base, spec->name, spec->n_dims, spec->shape, err));
    limn_tensor_to_f32(out, tensor);
    return LIMN_OK;
}

/* Narrows values [n] in their own memory. */
static limn_status narrow(float *values, size_t n, const char *name, limn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = limn_f32_to_f16(values[i]);
        if ((half & 0x7c00) == 0x7c00)
            return limn_fail(err, LIMN_E_LIMIT,
                             "tensor %s: value %zu is %g, beyond the range of F16 (65504)", name, i,
                             (double)values[i]);
        memcpy((unsigned char *)values + i * sizeof half, &half, sizeof half);
    }
    return LIMN_OK;
}

static limn_status make_tensor(limn_tensor *t, const limn_model_export *e,
                               const limn_tensor_spec *spec, limn_error *err)
{
    const size_t n = n_values(spec);
    float *values = limn_alloc(n, sizeof *values);
    *t = (limn_tensor){ .name = spec->name,
                        .n_dims = spec->n_dims,
                        .data = values,
                        .dtype = spec->may_be_half ? e->dtype : LIMN_TENSOR_F32 };
    if (!values) return limn_fail(err, LIMN_E_NOMEM, "no memory for tensor %s", spec->name);
    memcpy(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape);
    t->size = n * limn_tensor_dtype_size(t->dtype);
    LIMN_TRY(find_values(values, e, spec, err));
    return t->dtype == LIMN_TENSOR_F16 ? narrow(values, n, spec->name, err) : LIMN_OK;
}

static limn_status write_all(const char *path, const limn_model_export *e,
                             const limn_tensor_spec *specs, limn_tensor *tensors, size_t n_specs,
                             limn_error *err)
{
    for (size_t i = 0; i < n_specs; i++) LIMN_TRY(make_tensor(&tensors[i], e, &specs[i], err));
    for (size_t i = 0; i < e->n_extra_tensors; i++) tensors[n_specs + i] = e->extra_tensors[i];
    return limn_model_file_write(path, e->config, e->vocab, tensors, n_specs + e->n_extra_tensors,
                                 e->extra, e->n_extra, err);
}

limn_status limn_model_export_write(const char *path, const limn_model_export *e, limn_error *err)
{
    limn_tensor_spec *specs = NULL;
    limn_tensor *tensors = NULL;
    size_t n_specs = 0;
    limn_status status = limn_model_tensor_specs(&specs, &n_specs, e->config, err);
    if (status == LIMN_OK) {
        tensors = limn_calloc(n_specs + e->n_extra_tensors, sizeof *tensors);
        status = tensors ? write_all(path, e, specs, tensors, n_specs, err)
                         : limn_fail(err, LIMN_E_NOMEM, "no memory for a list of tensors");
    }
    for (size_t i = 0; tensors && i < n_specs; i++) limn_free((void *)tensors[i].data);
    limn_free(tensors);
    limn_free(specs);
    return status;
}

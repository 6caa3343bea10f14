#include "models/convert/int8_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/weights/weights.h"

bool int8_source_has(const tensor_list *list, const limn_tensor_spec *spec)
{
    const limn_tensor *t = tensor_list_find(list, spec->name);
    return spec->may_be_int8 && t && t->dtype == LIMN_TENSOR_I8;
}

static limn_status check_shape(const limn_tensor *t, const limn_tensor_spec *spec, limn_error *err)
{
    char is[160], expected[160];
    if (t->n_dims == spec->n_dims &&
        memcmp(t->shape, spec->shape, spec->n_dims * sizeof *spec->shape) == 0)
        return LIMN_OK;
    limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
    limn_tensor_describe(expected, sizeof expected, LIMN_TENSOR_I8, spec->n_dims, spec->shape);
    return limn_fail(err, LIMN_E_FORMAT, "tensor %s is %s, expected %s", spec->name, is, expected);
}

static limn_status read_all(float **values, float **scales, tensor_list *list, const limn_tensor *t,
                            limn_error *err)
{
    char name[LIMN_TENSOR_NAME_SIZE + sizeof LIMN_TENSOR_SCALES];
    const size_t n = t->size, n_inputs = t->shape[1];
    const int8_t *codes = t->data;
    snprintf(name, sizeof name, "%s" LIMN_TENSOR_SCALES, t->name);
    LIMN_TRY(tensor_list_read(scales, list, name, 1, t->shape, err));
    LIMN_TRY(limn_int8_tensor_check(t, name, *scales, err));
    *values = limn_alloc(n, sizeof **values);
    if (!*values) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", t->name);
    for (size_t i = 0; i < n; i++) (*values)[i] = (float)codes[i] * (*scales)[i / n_inputs];
    return LIMN_OK;
}

limn_status int8_source_read(float **values, float **scales, tensor_list *list,
                             const limn_tensor_spec *spec, limn_error *err)
{
    const limn_tensor *t = tensor_list_use(list, spec->name);
    *values = *scales = NULL;
    LIMN_TRY(check_shape(t, spec, err));
    const limn_status status = read_all(values, scales, list, t, err);
    if (status == LIMN_OK) return LIMN_OK;
    limn_free(*scales);
    *scales = NULL;
    return status;
}

/* The quotient of a rounded product is within a millionth of the code, or 0 / 0. */
void int8_source_codes(int8_t *codes, const float *values, size_t n, float scale)
{
    for (size_t i = 0; i < n; i++) codes[i] = scale > 0 ? (int8_t)lrintf(values[i] / scale) : 0;
}

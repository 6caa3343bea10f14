/* What limn_tensor_… of safetensors.h says of dtypes and their values. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/safetensors.h"
#include "common/kernels/pack.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [LIMN_TENSOR_F32] = { "F32", 4 },   [LIMN_TENSOR_F16] = { "F16", 2 },
    [LIMN_TENSOR_BF16] = { "BF16", 2 }, [LIMN_TENSOR_F64] = { "F64", 8 },
    [LIMN_TENSOR_U8] = { "U8", 1 },     [LIMN_TENSOR_I8] = { "I8", 1 },
    [LIMN_TENSOR_I16] = { "I16", 2 },   [LIMN_TENSOR_U16] = { "U16", 2 },
    [LIMN_TENSOR_I32] = { "I32", 4 },   [LIMN_TENSOR_U32] = { "U32", 4 },
    [LIMN_TENSOR_I64] = { "I64", 8 },   [LIMN_TENSOR_U64] = { "U64", 8 },
    [LIMN_TENSOR_BOOL] = { "BOOL", 1 },
};

size_t limn_tensor_dtype_size(limn_tensor_dtype t)
{
    return dtypes[t].size;
}

const char *limn_tensor_dtype_name(limn_tensor_dtype t)
{
    return dtypes[t].name;
}

bool limn_tensor_dtype_parse(limn_tensor_dtype *out, const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = (limn_tensor_dtype)i;
            return true;
        }
    return false;
}

bool limn_tensor_byte_size(size_t *out, limn_tensor_dtype t, size_t n_dims, const size_t *shape)
{
    size_t size = dtypes[t].size;
    for (size_t i = 0; i < n_dims; i++)
        if (!limn_size_mul(&size, size, shape[i])) return false;
    *out = size;
    return true;
}

limn_status limn_tensor_check(const limn_tensor *t, limn_error *err)
{
    size_t size;
    if (t->n_dims > LIMN_TENSOR_MAX_DIMS ||
        !limn_tensor_byte_size(&size, t->dtype, t->n_dims, t->shape) || size != t->size)
        return limn_fail(err, LIMN_E_ARG, "tensor %s: %zu bytes are not its shape's", t->name,
                         t->size);
    return LIMN_OK;
}

void limn_tensor_describe(char *out, size_t capacity, limn_tensor_dtype t, size_t n_dims,
                          const size_t *shape)
{
    size_t used = (size_t)snprintf(out, capacity, "%s [", dtypes[t].name);
    for (size_t i = 0; i < n_dims && used < capacity; i++)
        used += (size_t)snprintf(out + used, capacity - used, "%s%zu", i ? ", " : "", shape[i]);
    if (used < capacity) snprintf(out + used, capacity - used, "]");
}

/* The upper half of an f32. */
static float bf16_to_f32(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void limn_tensor_to_f32(float *out, const limn_tensor *t)
{
    const unsigned char *bytes = t->data;
    if (t->dtype == LIMN_TENSOR_F32) {
        memcpy(out, bytes, t->size);
        return;
    }
    if (t->dtype == LIMN_TENSOR_F16) {
        limn_f16_row_to_f32(out, bytes, t->size / sizeof(uint16_t));
        return;
    }
    for (size_t i = 0; i < t->size / sizeof(uint16_t); i++) {
        uint16_t half;
        memcpy(&half, bytes + i * sizeof half, sizeof half);
        out[i] = bf16_to_f32(half);
    }
}

/* A table of tensors as parameters in training: f32 tensors of the same names. Weight decay applies
 * to those with may_be_half. */
#ifndef LIMN_COMMON_WEIGHTS_TABLE_PARAMS_H
#define LIMN_COMMON_WEIGHTS_TABLE_PARAMS_H

#include "common/base/params.h"
#include "common/io/safetensors.h"
#include "common/weights/tensor_table.h"

/* Adds the tensors of all rows from stage `first_stage` on, in their order, to learn at `rate`
 * times the schedule's. LIMN_E_NOMEM. */
limn_status limn_table_params_add(limn_params *params, const limn_tensor_table *table,
                                  uint32_t first_stage, float rate, limn_error *err);

/* The values of every parameter whose name begins with `prefix` from a model file. LIMN_E_FORMAT
 * names a tensor that is missing or of another shape. */
limn_status limn_params_read(limn_params *params, const char *prefix, const limn_safetensors *file,
                             limn_error *err);

/* Where a row's weight and bias begin in params->values; `bias` SIZE_MAX without one. */
typedef struct limn_row_at {
    size_t weight, bias;
} limn_row_at;
/* LIMN_E_ARG names a parameter that is missing or of another size. */
limn_status limn_row_find(limn_row_at *out, const limn_params *params, const limn_tensor_row *row,
                          limn_error *err);

#endif

/* The matrices of a model file in int8 (common/kernels/int8.h), as F32 and back without loss. */
#ifndef LIMN_MODELS_CONVERT_INT8_SOURCE_H
#define LIMN_MODELS_CONVERT_INT8_SOURCE_H

#include <stdint.h>

#include "common/weights/tensor_table.h"
#include "models/convert/tensor_list.h"

/* Whether the list has this tensor as I8. */
bool int8_source_has(const tensor_list *list, const limn_tensor_spec *spec);

/* Its values [n_outputs, n_inputs], each the product of a code and its output's scale, and the
 * scales [n_outputs]; the caller frees both. LIMN_E_FORMAT names a tensor that is missing, has
 * another shape, or a scale that is negative or not finite; LIMN_E_NOMEM. */
limn_status int8_source_read(float **values, float **scales, tensor_list *list,
                             const limn_tensor_spec *spec, limn_error *err);

/* The codes [n] that a row of values was made from. */
void int8_source_codes(int8_t *codes, const float *values, size_t n, float scale);

#endif

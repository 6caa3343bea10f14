/* Batch norm folded into the convolution before it, in double precision. */
#ifndef LIMN_MODELS_CONVERT_FOLD_BATCH_NORM_H
#define LIMN_MODELS_CONVERT_FOLD_BATCH_NORM_H

#include "common/weights/tensor_table.h"
#include "models/convert/encoder_names.h"
#include "models/convert/tensor_list.h"

/* The values of `spec`, weight or bias of one layer of an encoder, from the convolution and the
 * batch norm that `names` names; the caller frees `*out`, also after a failure. Errors as
 * tensor_list_read. */
limn_status fold_batch_norm(float **out, tensor_list *list, const limn_tensor_spec *spec,
                            const encoder_layer_names *names, double eps, limn_error *err);

#endif

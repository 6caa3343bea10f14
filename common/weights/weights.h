/* The weights of a network, by its table of tensors: read from a file, measured and freed. */
#ifndef LIMN_COMMON_WEIGHTS_WEIGHTS_H
#define LIMN_COMMON_WEIGHTS_WEIGHTS_H

#include "common/io/safetensors.h"
#include "common/kernels/pack.h"
#include "common/weights/tensor_table.h"

typedef struct limn_norm_weights {
    float *gamma, *beta; /* [dim] */
} limn_norm_weights;

/* Metadata of a file with I8 tensors: the rule by which they were quantised
 * (common/kernels/int8.h). */
#define LIMN_INT8_KEY "limn.int8"
#define LIMN_INT8_RULE_NAME "2"

/* Whether the rule can have made a tensor of I8 and its scales [n_outputs], which are called
 * `name`. LIMN_E_FORMAT names the one that it can't have made, and the value. */
limn_status limn_int8_tensor_check(const limn_tensor *t, const char *name, const float *scales,
                                   limn_error *err);

/* Fills what each row's offset names in `network`, which starts zeroed there, with memory of its
 * own. Every tensor is checked for presence, type and shape. After an error, limn_weights_finish
 * frees what was already loaded. LIMN_E_FORMAT names the tensor and what was expected;
 * LIMN_E_NOMEM.
 *
 * From a file of which only the header was read (limn_safetensors_open_header), everything is
 * checked all the same, and nothing is kept but sizes: the network can be measured and finished,
 * and not be run. */
limn_status limn_weights_load(void *network, const limn_tensor_table *table,
                              const limn_safetensors *file, limn_error *err);
/* What the weights called `name` ("….weight") were loaded to; NULL when they are no product's. */
const limn_packed *limn_weights_product(const void *network, const limn_tensor_table *table,
                                        const char *name);
/* Bytes of all that was loaded, or would have been. */
size_t limn_weights_bytes(const void *network, const limn_tensor_table *table);
/* Frees what was loaded, all or a part of it, and leaves zeros. */
void limn_weights_finish(void *network, const limn_tensor_table *table);

#endif

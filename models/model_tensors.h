/* Which tensors a model file of a configuration holds: the tables of models/FORMAT.md as code, for
 * the programs that make such files or list what they lack. */
#ifndef LIMN_MODELS_MODEL_TENSORS_H
#define LIMN_MODELS_MODEL_TENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/weights/tensor_table.h"
#include "models/model_file.h"

/* All tensors: those of the encoder in the order of the network, then those of the decoder if there
 * is one. The caller frees `*out` with limn_free(). LIMN_E_UNSUPPORTED (unknown family),
 * LIMN_E_NOMEM. */
limn_status limn_model_tensor_specs(limn_tensor_spec **out, size_t *n_specs,
                                    const limn_model_config *config, limn_error *err);

#endif

/* The configuration and vocabulary of the reference captioner, from its metadata. */
#ifndef LIMN_MODELS_CONVERT_REFERENCE_CONFIG_H
#define LIMN_MODELS_CONVERT_REFERENCE_CONFIG_H

#include "models/model_file.h"

/* LIMN_E_FORMAT (the field and what it must be), LIMN_E_UNSUPPORTED (another architecture),
 * LIMN_E_NOMEM. The caller destroys `*vocab`. */
limn_status reference_config_read(limn_model_config *out, limn_vocab **vocab,
                                  double *batch_norm_eps, const limn_safetensors *file,
                                  limn_error *err);

#endif

/* The configuration of a decoder in that of a model file (models/FORMAT.md). */
#ifndef LIMN_MODELS_DECODER_CONFIG_H
#define LIMN_MODELS_DECODER_CONFIG_H

#include "common/io/json.h"
#include "decoder/decoder.h"

/* Reads the object `decoder`, all but n_tokens, which comes from the vocabulary. LIMN_E_FORMAT
 * names the field, its value and its bounds; LIMN_E_UNSUPPORTED for an unknown layout. */
limn_status limn_decoder_config_read(limn_decoder_config *out, const limn_json_node *decoder,
                                     limn_error *err);
/* The object, which the caller releases; NULL when out of memory. */
json_t *limn_decoder_config_write(const limn_decoder_config *config);

#endif

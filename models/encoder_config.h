/* The configuration of an encoder in that of a model file (models/FORMAT.md). */
#ifndef LIMN_MODELS_ENCODER_CONFIG_H
#define LIMN_MODELS_ENCODER_CONFIG_H

#include "common/io/json.h"
#include "encoder/encoder.h"

/* Reads the object `encoder`. LIMN_E_FORMAT names the field, its value and its bounds. Does not
 * check that the family is known; limn_encoder_check does. */
limn_status limn_encoder_config_read(limn_encoder_config *out, const limn_json_node *encoder,
                                     limn_error *err);
/* The object, which the caller releases; NULL when out of memory. */
json_t *limn_encoder_config_write(const limn_encoder_config *config);

/* Whether versions 1 and 2 of the file had fields for it: a square that images are squashed to,
 * by an antialiased filter, with one mean and one scale; no vision transformer. */
bool limn_encoder_config_is_plain(const limn_encoder_config *config);

#endif

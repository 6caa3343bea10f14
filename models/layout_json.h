/* The layout of a decoder in the configuration of a model file (models/FORMAT.md):
 *
 *     "layout": "blip"                              a known layout
 *     "layout": {"name": "blip", "tied": false}     with the given fields changed
 */
#ifndef LIMN_MODELS_LAYOUT_JSON_H
#define LIMN_MODELS_LAYOUT_JSON_H

#include "common/io/json.h"
#include "decoder/decoder_layout.h"

/* The layout of object `decoder`; without one, limn's. LIMN_E_UNSUPPORTED for a name that is not
 * known, with those that are; LIMN_E_FORMAT for an unknown field or a bad value. */
limn_status limn_layout_read(limn_decoder_layout *out, const limn_json_node *decoder,
                             limn_error *err);
/* The value of "layout", which the caller releases; NULL for limn's, which is not written, or when
 * out of memory. */
json_t *limn_layout_write(const limn_decoder_layout *layout);

/* What activations are called, by number; NULL after the last that a layout may have. */
extern const char *const limn_activation_names[];

#endif

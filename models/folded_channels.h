/* How many channels of a model were scaled before int8 (models/convert/fold_channels.h), as its
 * file notes it. Weights keep the factors whatever becomes of them, in another type and in
 * training, and so the note stays with them: of models with other factors there is no average. */
#ifndef LIMN_MODELS_FOLDED_CHANNELS_H
#define LIMN_MODELS_FOLDED_CHANNELS_H

#include <stddef.h>

#include "common/io/safetensors.h"

#define LIMN_FOLDED_KEY "limn.int8_folded" /* of the metadata */

enum { LIMN_FOLDED_TEXT_SIZE = 64 };

typedef struct limn_folded_channels {
    size_t n_encoder, n_decoder;
} limn_folded_channels;

/* Those of a model file; none where it has no note. LIMN_E_FORMAT when it is not as written here.
 */
limn_status limn_folded_channels_read(limn_folded_channels *out, const limn_safetensors *file,
                                      limn_error *err);

/* Lists the note, if there are any, and returns how many items that are, 0 or 1. `text` must live
 * as long as `item`. */
size_t limn_folded_channels_metadata(limn_metadata_item *item, char text[LIMN_FOLDED_TEXT_SIZE],
                                     const limn_folded_channels *f);

#endif

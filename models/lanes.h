/* Images on their way through a state together. */
#ifndef LIMN_MODELS_LANES_H
#define LIMN_MODELS_LANES_H

#include "models/captioner.h"

/* limn_state_caption_many, once its arguments are checked. */
limn_status limn_lanes_run(limn_state *s, const limn_image_source *source, limn_error *err);

#endif

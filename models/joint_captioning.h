/* Images on their way through a state together. */
#ifndef LIMN_MODELS_JOINT_CAPTIONING_H
#define LIMN_MODELS_JOINT_CAPTIONING_H

#include "models/captioner.h"

/* limn_state_caption_many, once its arguments are checked. */
limn_status limn_joint_captioning_run(limn_state *s, const limn_caption_source *source,
                                      limn_error *err);

#endif

/* What options may be, for the sources of models/. */
#ifndef LIMN_MODELS_OPTIONS_H
#define LIMN_MODELS_OPTIONS_H

#include "models/captioner.h"

/* Whether options are within their bounds and don't contradict each other or the model.
 * LIMN_E_ARG names the option, its value and its bounds. */
limn_status limn_options_check(const limn_options *options, const limn_model *model,
                               limn_error *err);

#endif

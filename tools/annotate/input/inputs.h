/* How the inputs of a run are walked and filtered. */
#ifndef LIMN_TOOLS_ANNOTATE_INPUT_INPUTS_H
#define LIMN_TOOLS_ANNOTATE_INPUT_INPUTS_H

#include "common/io/dirwalk.h"
#include "tools/annotate/annotate.h"

/* Whether a list (or an image) is to be read from inputs->list_fd. */
bool limn_inputs_has_list(const limn_inputs *inputs);
/* Whether the inputs are a single file that is not an archive. */
bool limn_inputs_is_one_file(const limn_inputs *inputs);

/* `inputs` is borrowed. `wake_fd` as in limn_dirwalk_settings. */
limn_dirwalk_settings limn_inputs_walk_settings(const limn_inputs *inputs, int wake_fd);
/* The same without reading a list. */
limn_dirwalk_settings limn_inputs_walk_settings_without_list(const limn_inputs *inputs);

/* What a walk left out; n_other is for the caller to fill. */
limn_left_out limn_inputs_left_out(const limn_dirwalk *walk);

/* `accepts` of limn_dirwalk_settings, with limn_inputs as ctx. */
bool limn_inputs_accept(const void *inputs, const char *relative, limn_dirwalk_kind kind);

#endif

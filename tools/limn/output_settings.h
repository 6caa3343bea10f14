/* The options of `limn` about inputs and outputs: what follows from them, and what contradicts
 * itself. For caption_settings.c. */
#ifndef LIMN_TOOLS_LIMN_OUTPUT_SETTINGS_H
#define LIMN_TOOLS_LIMN_OUTPUT_SETTINGS_H

#include "tools/limn/caption_settings.h"

/* Sets format, sidecar_extension, existing and inputs. False, with a message, when options
 * contradict each other. */
bool output_settings_complete(caption_settings *settings);
/* Completed settings as the library's, but for names, the model and hooks. */
limn_annotate_settings output_settings_of(const caption_settings *settings);

#endif

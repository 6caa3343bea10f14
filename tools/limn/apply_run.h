/* limn --apply-xmp: writing captions of a file instead of making them. */
#ifndef LIMN_TOOLS_LIMN_APPLY_RUN_H
#define LIMN_TOOLS_LIMN_APPLY_RUN_H

#include "tools/limn/caption_settings.h"

/* Writes them and says what became of the images; the exit code. */
int apply_run(const caption_settings *s, const limn_cli_operands *paths);

#endif

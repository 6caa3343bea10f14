/* limn --undo-xmp: taking captions back instead of making them. */
#ifndef LIMN_TOOLS_LIMN_UNDO_RUN_H
#define LIMN_TOOLS_LIMN_UNDO_RUN_H

#include "tools/limn/caption_settings.h"

/* Undoes and says what became of the files; the exit code. */
int undo_run(const caption_settings *s, const limn_cli_operands *paths);

#endif

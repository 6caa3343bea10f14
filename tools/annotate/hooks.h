/* The caller's hooks, where any may be missing. */
#ifndef LIMN_TOOLS_ANNOTATE_HOOKS_H
#define LIMN_TOOLS_ANNOTATE_HOOKS_H

#include "common/base/status.h"
#include "tools/annotate/annotate.h"

/* `h` NULL: no hooks. */
bool limn_hooks_keep_going(const limn_annotate_hooks *h);
void limn_hooks_message(const limn_annotate_hooks *h, limn_annotate_severity severity,
                        const char *fmt, ...) LIMN_PRINTF(3, 4);
/* Tells of the failure of the file `path`, with which the failure's text may begin. */
void limn_hooks_failure(const limn_annotate_hooks *h, const char *path, const limn_error *failure);
void limn_hooks_writing(const limn_annotate_hooks *h, bool is_writing);

#endif

/* What the captions of a run depend on: the journal records it, and a run with another identity
 * doesn't resume. */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_RUN_IDENTITY_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_RUN_IDENTITY_H

#include "common/base/buffer.h"
#include "tools/annotate/annotate.h"

/* Appends lines "NAME VALUE\n": the library's version, checksums of the model files, the caller's
 * identity lines, and for sidecars, which can't be told apart from others later, the inputs.
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status limn_run_identity(limn_buffer *out, const limn_annotate_settings *s, limn_error *err);

#endif

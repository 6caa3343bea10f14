/* The confidence of a converted model: that of a file of limn-eval --fit, or its own. */
#ifndef LIMN_TOOLS_CONVERT_CONVERT_CONFIDENCE_H
#define LIMN_TOOLS_CONVERT_CONVERT_CONFIDENCE_H

#include "models/convert/convert_tensors.h"

/* Sets r->confidence from the file at `path`; where that is NULL, from a source that was a model
 * and has one, if it `is_kept`: left out, it is told on standard error. LIMN_E_FORMAT (no fit),
 * LIMN_E_IO, LIMN_E_NOMEM. */
limn_status convert_confidence(convert_result *r, const convert_source *source, const char *path,
                               bool is_kept, limn_error *err);

#endif

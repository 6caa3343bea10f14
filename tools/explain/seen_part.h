/* The part of an image that a network sees: all of it, or the centre where the input is cropped. */
#ifndef LIMN_TOOLS_EXPLAIN_SEEN_PART_H
#define LIMN_TOOLS_EXPLAIN_SEEN_PART_H

#include "models/captioner.h"
#include "tools/annotate/annotate.h"

/* A copy of that part of a thumbnail, at least a pixel of it, which the caller frees with
 * limn_free(); NULL where all is seen. LIMN_E_NOMEM. */
limn_status limn_seen_part(limn_thumbnail **out, const limn_thumbnail *image,
                           const limn_model_info *info, limn_error *err);

#endif

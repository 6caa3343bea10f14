/* Captions with a text before and after each: --prefix, --suffix. */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_AFFIX_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_CAPTION_AFFIX_H

#include "common/base/buffer.h"
#include "models/captioner.h"

/* Scratch of one worker; zero-initialise. */
typedef struct caption_affix {
    limn_captions captions;
    limn_caption *items; /* [capacity] */
    size_t capacity;
    limn_buffer texts;
} caption_affix;

/* Points `*captions` to a copy with `prefix` and `suffix` (NULL: none) around every text, valid
 * until the next call; everything else is as it was. LIMN_E_NOMEM. */
limn_status caption_affix_apply(caption_affix *a, const limn_captions **captions,
                                const char *prefix, const char *suffix, limn_error *err);
void caption_affix_finish(caption_affix *a);

#endif

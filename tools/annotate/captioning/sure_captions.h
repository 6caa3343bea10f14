/* Captions confident enough to be written (--min-confidence). */
#ifndef LIMN_TOOLS_ANNOTATE_CAPTIONING_SURE_CAPTIONS_H
#define LIMN_TOOLS_ANNOTATE_CAPTIONING_SURE_CAPTIONS_H

#include "models/captioner.h"

/* The confident captions of one worker's image. Zero-initialise. */
typedef struct sure_captions {
    limn_captions captions;
    limn_caption *items; /* [capacity] */
    size_t capacity;
} sure_captions;

/* If any caption's confidence is below `min`, replaces *captions by those that remain, in the
 * memory of `s`; there may be none. LIMN_E_NOMEM. */
limn_status sure_captions_choose(sure_captions *s, const limn_captions **captions, float min,
                                 limn_error *err);
void sure_captions_finish(sure_captions *s);

#endif

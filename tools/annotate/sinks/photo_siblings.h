/* One photo in several files: IMG_1.HEIC and IMG_1.JPG of a phone, DSC_1.NEF and DSC_1.JPG of a
 * camera. Where they would share a sidecar (or a member of the copy of a tar), it gets the caption
 * of one of them: of the JPEG, else of a HEIC, AVIF, JPEG XL or TIFF file, else of the RAW file. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_PHOTO_SIBLINGS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_PHOTO_SIBLINGS_H

#include "tools/annotate/annotate.h"
#include "tools/annotate/sinks/output_owners.h"

/* An image that shares its sidecar. */
typedef struct limn_sibling {
    limn_output_owner owner;
    unsigned rank;
} limn_sibling;

typedef struct limn_siblings {
    limn_sibling *items; /* [n_items] */
    size_t n_items, capacity;
} limn_siblings; /* zero-initialise */

/* Adds an image by the extension of its name. One that can't be decoded is never chosen.
 * LIMN_E_NOMEM. */
limn_status limn_siblings_add(limn_siblings *s, limn_output_owner owner, const char *path,
                              bool can_be_decoded, limn_error *err);
/* Adds to `out` those that leave their sidecar to another, and sorts it. Where images are not files
 * of one photo (two JPEGs, a JPEG and a PNG), none does. LIMN_E_NOMEM. */
limn_status limn_siblings_choose(limn_output_owners *out, limn_siblings *s, limn_error *err);
/* Tells the hooks how many of them there are, if any. */
void limn_siblings_tell(const limn_output_owners *siblings, const limn_annotate_hooks *hooks);
void limn_siblings_finish(limn_siblings *s); /* accepts a zeroed one; zeroes it */

#endif

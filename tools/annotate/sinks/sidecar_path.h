/* Where the sidecar file of an image is. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_PATH_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_PATH_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/io/dirwalk.h"

typedef struct limn_sidecar_naming {
    const char *extension; /* without a dot in front */
    const char *out_dir;   /* the tree of sidecars; NULL: beside the images */
    bool is_full;          /* a.jpg.txt, not a.txt */
    bool is_image;         /* none: the image itself is the file */
} limn_sidecar_naming;

/* Puts the sidecar's path into `out`, with a NUL after it. Beside the image, or below out_dir as
 * the image is below the folder that was named (an image that was named itself: as it was
 * written, without "/" and "./" in front); with is_image, the image's. LIMN_E_ARG when that would
 * lead out of out_dir (".."), or beside a member of an archive; LIMN_E_NOMEM. The text does not
 * repeat the image's path. */
limn_status limn_sidecar_path(limn_buffer *out, const limn_sidecar_naming *naming,
                              const limn_dirwalk_entry *input, limn_error *err);
/* Bytes at the start of that path which the user named: links may be followed there. */
size_t limn_sidecar_given_size(const limn_sidecar_naming *naming, const limn_dirwalk_entry *input);

#endif

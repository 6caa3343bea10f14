/* Names of members in the copy of a tar with captions in it (tools/annotate/sinks/shard_tar.h):
 * making them, and checking that they are unique. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_TAR_NAMES_H
#define LIMN_TOOLS_ANNOTATE_SINKS_TAR_NAMES_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/io/dirwalk.h"
#include "tools/annotate/annotate.h"
#include "tools/annotate/sinks/output_owners.h"

/* Replaces `out` by the name of an image's member with another ending, and a NUL: "a/b.jpg" and
 * "txt" give "a/b.txt". LIMN_E_NOMEM. */
limn_status limn_tar_name_make(limn_buffer *out, const char *image, const char *ending,
                               limn_error *err);

/* Reads through the tar `tar` (a file that a walk gave), whose images will be captioned when
 * `inputs` takes them: LIMN_E_ARG when its copy would have a member with an ending of `endings`
 * [n_endings] twice, or one with the name of an existing member. "./a.txt" and "a.txt" are one
 * name. Of several files of one photo (tools/annotate/sinks/photo_siblings.h) one gets its members:
 * the others, whose keys are added to `siblings`, are not to be captioned. A tar that can't be read
 * to its end is left for the run to report. LIMN_E_INTERRUPTED (hooks), LIMN_E_NOMEM. */
limn_status limn_tar_names_check(const limn_dirwalk_entry *tar, const limn_inputs *inputs,
                                 const char *const *endings, size_t n_endings,
                                 const limn_annotate_hooks *hooks, limn_output_owners *siblings,
                                 limn_error *err);
/* The key in `siblings` of the image ARCHIVE/MEMBER. */
limn_output_owner limn_tar_sibling_key(const char *path);

#endif

/* Checks, before anything is written, that no two images share a sidecar. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_PLAN_H
#define LIMN_TOOLS_ANNOTATE_SINKS_SIDECAR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/annotate/input/list_spool.h"
#include "tools/annotate/sinks/output_owners.h"
#include "tools/annotate/sinks/sidecar_path.h"

/* Images that are named more than once. */
typedef struct limn_sidecar_plan {
    limn_output_key *repeated; /* [n_repeated], sorted; of their sidecars */
    size_t n_repeated;
    limn_output_owners siblings; /* images that leave their sidecar to another file of the photo */
} limn_sidecar_plan;

/* The key of a file: its folder's identity on disk (or its path, if it does not exist yet), and its
 * name. */
limn_output_key limn_file_key_of(const char *path);

/* Walks the inputs; `list` (NULL: they have none) is the spool that inputs->list_fd belongs to;
 * rewind it afterwards. Takes 24 bytes of memory per image meanwhile. LIMN_E_ARG when two images
 * share a sidecar, or, with `may_exist` false, when a sidecar already exists; the text names them.
 * LIMN_E_INTERRUPTED (`hooks`), LIMN_E_NOMEM. */
limn_status limn_sidecar_plan_make(limn_sidecar_plan *out, const limn_inputs *inputs,
                                   const limn_list_spool *list, const limn_sidecar_naming *naming,
                                   bool may_exist, const limn_annotate_hooks *hooks,
                                   limn_error *err);
/* The index of a key among the repeated ones; n_repeated when it is not among them. */
size_t limn_sidecar_plan_find(const limn_sidecar_plan *plan, limn_output_key key);
/* Whether the image leaves the sidecar `path` to another file of the same photo. */
bool limn_sidecar_plan_has_sibling(const limn_sidecar_plan *plan, const char *path,
                                   const char *image);
void limn_sidecar_plan_finish(limn_sidecar_plan *plan); /* accepts a zeroed one; zeroes it */

#endif

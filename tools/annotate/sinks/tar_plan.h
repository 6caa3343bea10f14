/* Checks, before a run with --tar writes anything, that no copy of a tar would have two members of
 * one name. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_TAR_PLAN_H
#define LIMN_TOOLS_ANNOTATE_SINKS_TAR_PLAN_H

#include "tools/annotate/input/list_spool.h"
#include "tools/annotate/sinks/tar_names.h"

/* Reads through each tar among the inputs whose copy is not in `folder` yet; `list` (NULL: they
 * have none) is the spool that inputs->list_fd belongs to; rewind it afterwards. Tars that share a
 * copy are left for the run to refuse. `siblings` gets the images that leave their members to
 * another file of the same photo, sorted; the hooks are told how many. LIMN_E_ARG,
 * LIMN_E_INTERRUPTED, LIMN_E_NOMEM as of limn_tar_names_check. */
limn_status limn_tar_plan_check(const limn_inputs *inputs, const limn_list_spool *list,
                                const char *folder, const char *const *endings, size_t n_endings,
                                const limn_annotate_hooks *hooks, limn_output_owners *siblings,
                                limn_error *err);

#endif

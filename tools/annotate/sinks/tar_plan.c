#include "tools/annotate/sinks/tar_plan.h"

#include <string.h>
#include <strings.h>

#include "tools/annotate/input/inputs.h"
#include "tools/annotate/sinks/photo_siblings.h"
#include "tools/annotate/sinks/shard_claims.h"

/* Accepts archives only, as if they were files; ctx: limn_inputs. */
static bool accepts(const void *ctx, const char *relative, limn_dirwalk_kind kind)
{
    const limn_inputs *inputs = ctx;
    if (kind == LIMN_DIRWALK_FILE && !limn_archive_has_name(relative)) return false;
    return limn_inputs_accept(inputs, relative, LIMN_DIRWALK_FOLDER);
}

static bool is_tar(const limn_dirwalk_entry *input, bool is_recursive)
{
    const size_t size = strlen(input->path);
    return (input->is_named || is_recursive) && !input->is_stream &&
           strcasecmp(input->path + size - 4, ".zip") != 0;
}

/* Tar number `number`: unless it will be left alone. */
static limn_status check_tar(limn_shard_claims *claims, const limn_dirwalk_entry *tar,
                             size_t number, const limn_inputs *inputs, const char *const *endings,
                             size_t n_endings, const limn_annotate_hooks *hooks,
                             limn_output_owners *siblings, limn_error *err)
{
    const limn_shard_claim *claim;
    limn_dirwalk_entry member = *tar;
    member.archive_size = strlen(tar->path);
    member.archive_number = number;
    if (limn_shard_claims_find(claims, &member, &claim, NULL) || claim->was_there) return LIMN_OK;
    return limn_tar_names_check(tar, inputs, endings, n_endings, hooks, siblings, err);
}

limn_status limn_tar_plan_check(const limn_inputs *inputs, const limn_list_spool *list,
                                const char *folder, const char *const *endings, size_t n_endings,
                                const limn_annotate_hooks *hooks, limn_output_owners *siblings,
                                limn_error *err)
{
    limn_dirwalk_settings settings = limn_inputs_walk_settings(inputs, -1);
    limn_dirwalk_entry input = { .path = "" };
    limn_dirwalk *walk = NULL;
    limn_shard_claims claims;
    size_t number = 0;
    limn_status s = list ? limn_list_spool_rewind(list, err) : LIMN_OK;
    settings.has_archives = false;
    settings.accepts = accepts;
    limn_shard_claims_init(&claims, folder, ".tar");
    if (s == LIMN_OK)
        s = limn_dirwalk_create(&walk, inputs->names, inputs->n_names, &settings, err);
    while (s == LIMN_OK && input.path) {
        limn_error reason = { 0 }; /* failures are ignored: they recur in the run */
        const limn_status found = limn_dirwalk_next(walk, &input, &reason);
        if (found == LIMN_E_NOMEM) s = limn_fail(err, found, "%s", reason.text);
        if (found == LIMN_OK && input.path && is_tar(&input, inputs->is_recursive))
            s = check_tar(&claims, &input, ++number, inputs, endings, n_endings, hooks, siblings,
                          err);
    }
    limn_output_owners_sort(siblings);
    if (s == LIMN_OK) limn_siblings_tell(siblings, hooks);
    limn_dirwalk_destroy(&walk);
    limn_shard_claims_finish(&claims);
    return s;
}

#include "tools/annotate/sinks/sidecar_plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/text/path.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/inputs.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/input/path_names.h"
#include "tools/annotate/sinks/photo_siblings.h"

typedef struct planner {
    const limn_inputs *inputs;
    const limn_list_spool *list; /* NULL: none */
    const limn_annotate_hooks *hooks;
    const limn_sidecar_naming *naming;
    bool may_exist;
    limn_output_owners owners;
    limn_siblings shared;       /* share a sidecar; */
    limn_output_owners dropped; /* those of them that will not get one */
    limn_dirwalk *walk;
    limn_buffer path;
    limn_buffer folder; /* the folder statted last, */
    struct stat st;     /* and the result */
    bool has_folder;
    size_t archive_number, member; /* of the archive that the walk is in, and in it */
} planner;

/* ---- keys ------------------------------------------------------------------------------- */

/* The folder of `path` by its numbers on the disk; by its text where it is not there yet. */
static limn_output_key key_in(const char *path, const struct stat *folder)
{
    const size_t size = limn_path_folder_size(path);
    const uint64_t numbers[2] = { folder ? (uint64_t)folder->st_dev : 0,
                                  folder ? (uint64_t)folder->st_ino : 0 };
    return folder ? limn_output_key_of(numbers, sizeof numbers, path + size)
                  : limn_output_key_of(path, size, path + size);
}

static bool look_at_folder(struct stat *st, const char *path)
{
    const size_t size = limn_path_folder_size(path);
    char *folder = size ? limn_strndup(path, size) : limn_strdup(".");
    const bool is_there = folder && !stat(folder, st);
    limn_free(folder);
    return is_there;
}

limn_output_key limn_file_key_of(const char *path)
{
    struct stat st;
    return key_in(path, look_at_folder(&st, path) ? &st : NULL);
}

/* The same, caching the last folder's stat. */
static limn_output_key key_of(planner *p, const char *path)
{
    const size_t size = limn_path_folder_size(path);
    if (!p->folder.size || p->folder.size != size || memcmp(p->folder.bytes, path, size)) {
        limn_buffer_clear(&p->folder);
        limn_buffer_append(&p->folder, path, size);
        p->has_folder = look_at_folder(&p->st, path);
    }
    return key_in(path, p->has_folder ? &p->st : NULL);
}

/* The input whose sidecar path is in p->path. Of members of an archive two may have one name. */
static limn_output_owner owner_of(planner *p, const limn_dirwalk_entry *input)
{
    const limn_output_key sidecar = key_of(p, p->path.bytes);
    const uint64_t image = key_of(p, input->path).bits[0];
    return (limn_output_owner){ sidecar, input->archive_size ? image + p->member : image };
}

/* ---- the walk --------------------------------------------------------------------------- */

/* Whether the entry will be captioned, as far as can be told without reading archives. */
static bool is_image(const limn_dirwalk_entry *input)
{
    bool is = false;
    if (input->archive_size) return limn_image_file_has_extension(input->path);
    return !limn_image_file_is_image(&is, input->path, input->is_named, NULL) && is;
}

typedef limn_status visit_fn(planner *p, const limn_dirwalk_entry *input, void *ctx,
                             limn_error *err);

/* The next entry that will be captioned and has a sidecar path, which is then in p->path; NULL at
 * the end. Failures are ignored: they recur in the run. */
static limn_status next_image(planner *p, limn_dirwalk_entry *input, limn_error *err)
{
    for (;;) {
        limn_error reason = { 0 };
        if (!limn_hooks_keep_going(p->hooks))
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        const limn_status s = limn_dirwalk_next(p->walk, input, &reason);
        if (s == LIMN_E_NOMEM) return limn_fail(err, s, "%s", reason.text);
        p->member = input->archive_number == p->archive_number ? p->member + 1 : 0;
        p->archive_number = input->archive_number;
        if (s != LIMN_OK) continue;
        if (!input->path ||
            (is_image(input) && !limn_sidecar_path(&p->path, p->naming, input, NULL)))
            return LIMN_OK;
    }
}

/* Calls `visit` for each image that has a sidecar path. */
static limn_status walk(planner *p, visit_fn *visit, void *ctx, limn_error *err)
{
    const limn_dirwalk_settings settings = limn_inputs_walk_settings(p->inputs, -1);
    limn_dirwalk_entry input = { .path = "" };
    limn_status s = p->list ? limn_list_spool_rewind(p->list, err) : LIMN_OK;
    if (s == LIMN_OK)
        s = limn_dirwalk_create(&p->walk, p->inputs->names, p->inputs->n_names, &settings, err);
    while (s == LIMN_OK) {
        s = next_image(p, &input, err);
        if (s == LIMN_OK && !input.path) break;
        if (s == LIMN_OK) s = visit(p, &input, ctx, err);
    }
    limn_dirwalk_destroy(&p->walk);
    return s;
}

static limn_status add(planner *p, const limn_dirwalk_entry *input, void *ctx, limn_error *err)
{
    struct stat st;
    (void)ctx;
    if (!p->may_exist && !lstat(p->path.bytes, &st))
        return limn_fail(err, LIMN_E_ARG, "%s: already exists (--existing error)", p->path.bytes);
    return limn_output_owners_add(&p->owners, owner_of(p, input), err);
}

/* ---- collisions ------------------------------------------------------------------------- */

/* Notes an input that shares its sidecar: it may be another file of the same photo, or can't be
 * decoded. */
static limn_status look_if_shared(planner *p, const limn_dirwalk_entry *input, void *ctx,
                                  limn_error *err)
{
    const limn_output_owner one = owner_of(p, input);
    (void)ctx;
    if (!limn_output_owners_has_rival(&p->owners, one)) return LIMN_OK;
    const bool can_be_decoded =
        limn_image_file_can_be_decoded(input->path, limn_dirwalk_archive(p->walk));
    if (!input->archive_size)
        LIMN_TRY(limn_siblings_add(&p->shared, one, input->path, can_be_decoded, err));
    return can_be_decoded ? LIMN_OK : limn_output_owners_add(&p->dropped, one, err);
}

/* Sorts the owners, and takes out those that share a sidecar and will get none. */
static limn_status sort_owners(planner *p, limn_output_owners *siblings, limn_error *err)
{
    limn_output_owners *o = &p->owners;
    limn_output_owners_sort(o);
    if (!limn_output_owners_any_shared(o)) return LIMN_OK;
    LIMN_TRY(walk(p, look_if_shared, NULL, err));
    LIMN_TRY(limn_siblings_choose(siblings, &p->shared, err));
    limn_siblings_tell(siblings, p->hooks);
    for (size_t i = 0; i < siblings->n_items; i++)
        LIMN_TRY(limn_output_owners_add(&p->dropped, siblings->items[i], err));
    limn_output_owners_sort(&p->dropped);
    limn_output_owners_remove(o, &p->dropped);
    return LIMN_OK;
}

/* Names the images that share a sidecar. */
typedef struct naming_ctx {
    limn_output_key sidecar;
    uint64_t first_image;
    limn_buffer first; /* its path; empty before it was met */
} naming_ctx;

static limn_status name_them(planner *p, const limn_dirwalk_entry *input, void *ctx,
                             limn_error *err)
{
    naming_ctx *n = ctx;
    const limn_output_owner one = owner_of(p, input);
    if (limn_output_key_compare(one.output, n->sidecar) || limn_output_owners_has(&p->dropped, one))
        return LIMN_OK;
    if (n->first.size && one.image != n->first_image && !strcmp(n->first.bytes, input->path))
        return limn_fail(err, LIMN_E_ARG,
                         "%s: the archive has two members with this name, which would "
                         "share %s",
                         input->path, p->path.bytes);
    if (n->first.size && one.image != n->first_image)
        return limn_fail(err, LIMN_E_ARG,
                         "%s and %s would share %s; --sidecar-full keeps them apart",
                         n->first.bytes, input->path, p->path.bytes);
    limn_buffer_clear(&n->first);
    limn_buffer_append_text(&n->first, input->path);
    n->first_image = one.image;
    return n->first.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status fail_collision(planner *p, limn_output_key sidecar, limn_error *err)
{
    naming_ctx n = { .sidecar = sidecar };
    limn_status s = walk(p, name_them, &n, err);
    limn_buffer_finish(&n.first);
    /* the colliding file has disappeared since */
    return s;
}

static limn_status add_repeated(limn_sidecar_plan *plan, size_t *capacity, limn_output_key key,
                                limn_error *err)
{
    if (plan->n_repeated && !limn_output_key_compare(plan->repeated[plan->n_repeated - 1], key))
        return LIMN_OK;
    if (!limn_grow((void **)&plan->repeated, capacity, plan->n_repeated + 1, sizeof key))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    plan->repeated[plan->n_repeated++] = key;
    return LIMN_OK;
}

static limn_status find_shared(limn_sidecar_plan *plan, planner *p, limn_error *err)
{
    size_t capacity = 0;
    LIMN_TRY(sort_owners(p, &plan->siblings, err));
    for (size_t i = 1; i < p->owners.n_items; i++) {
        const limn_output_owner *a = &p->owners.items[i - 1], *b = &p->owners.items[i];
        if (limn_output_key_compare(a->output, b->output)) continue;
        if (a->image != b->image) LIMN_TRY(fail_collision(p, a->output, err));
        LIMN_TRY(add_repeated(plan, &capacity, a->output, err));
    }
    return LIMN_OK;
}

/* ---- the plan --------------------------------------------------------------------------- */

limn_status limn_sidecar_plan_make(limn_sidecar_plan *out, const limn_inputs *inputs,
                                   const limn_list_spool *list, const limn_sidecar_naming *naming,
                                   bool may_exist, const limn_annotate_hooks *hooks,
                                   limn_error *err)
{
    planner p = {
        .inputs = inputs, .list = list, .hooks = hooks, .naming = naming, .may_exist = may_exist
    };
    limn_status s;
    *out = (limn_sidecar_plan){ 0 };
    s = walk(&p, add, NULL, err);
    if (s == LIMN_OK) s = find_shared(out, &p, err);
    limn_output_owners_finish(&p.owners);
    limn_output_owners_finish(&p.dropped);
    limn_siblings_finish(&p.shared);
    limn_buffer_finish(&p.path);
    limn_buffer_finish(&p.folder);
    if (s != LIMN_OK) limn_sidecar_plan_finish(out);
    return s;
}

static int compare_keys(const void *a, const void *b)
{
    const limn_output_key *x = a, *y = b;
    return limn_output_key_compare(*x, *y);
}

size_t limn_sidecar_plan_find(const limn_sidecar_plan *plan, limn_output_key key)
{
    const limn_output_key *found =
        plan->n_repeated ? bsearch(&key, plan->repeated, plan->n_repeated, sizeof key, compare_keys)
                         : NULL;
    return found ? (size_t)(found - plan->repeated) : plan->n_repeated;
}

bool limn_sidecar_plan_has_sibling(const limn_sidecar_plan *plan, const char *path,
                                   const char *image)
{
    if (!plan->siblings.n_items) return false;
    const limn_output_owner owner = { limn_file_key_of(path), limn_file_key_of(image).bits[0] };
    return limn_output_owners_has(&plan->siblings, owner);
}

void limn_sidecar_plan_finish(limn_sidecar_plan *plan)
{
    limn_output_owners_finish(&plan->siblings);
    limn_free(plan->repeated);
    *plan = (limn_sidecar_plan){ 0 };
}

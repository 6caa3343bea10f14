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

typedef struct planned {
    limn_file_key sidecar;
    uint64_t image; /* part of its key */
} planned;

typedef struct planner {
    const limn_inputs *inputs;
    const limn_list_spool *list; /* NULL: none */
    const limn_annotate_hooks *hooks;
    const limn_sidecar_naming *naming;
    bool may_exist;
    planned *items; /* [n_items] */
    size_t n_items, capacity;
    planned *dropped; /* [n_dropped], sorted: share a sidecar, but can't be captioned */
    size_t n_dropped, dropped_capacity;
    limn_dirwalk *walk;
    limn_buffer path;
    limn_buffer folder; /* the last one that was looked at, */
    struct stat st;     /* and what was found */
    bool has_folder;
} planner;

/* ---- keys ------------------------------------------------------------------------------- */

static limn_file_key key_from(const void *folder, size_t folder_size, const char *name)
{
    limn_file_key key;
    for (size_t i = 0; i < 2; i++) {
        const uint64_t start = LIMN_FNV1A64_INIT + i * UINT64_C(0x9e3779b97f4a7c15);
        key.bits[i] = limn_fnv1a64(limn_fnv1a64(start, folder, folder_size), name, strlen(name));
    }
    return key;
}

/* The folder of `path` by its numbers on the disk; by its text where it is not there yet. */
static limn_file_key key_in(const char *path, const struct stat *folder)
{
    const size_t size = limn_path_folder_size(path);
    const uint64_t numbers[2] = { folder ? (uint64_t)folder->st_dev : 0,
                                  folder ? (uint64_t)folder->st_ino : 0 };
    return folder ? key_from(numbers, sizeof numbers, path + size)
                  : key_from(path, size, path + size);
}

static bool look_at_folder(struct stat *st, const char *path)
{
    const size_t size = limn_path_folder_size(path);
    char *folder = size ? limn_strndup(path, size) : limn_strdup(".");
    const bool is_there = folder && !stat(folder, st);
    limn_free(folder);
    return is_there;
}

limn_file_key limn_file_key_of(const char *path)
{
    struct stat st;
    return key_in(path, look_at_folder(&st, path) ? &st : NULL);
}

/* The same; one folder after another, each is looked at once. */
static limn_file_key key_of(planner *p, const char *path)
{
    const size_t size = limn_path_folder_size(path);
    if (!p->folder.size || p->folder.size != size || memcmp(p->folder.bytes, path, size)) {
        limn_buffer_clear(&p->folder);
        limn_buffer_append(&p->folder, path, size);
        p->has_folder = look_at_folder(&p->st, path);
    }
    return key_in(path, p->has_folder ? &p->st : NULL);
}

/* The input whose sidecar path is in p->path. */
static planned planned_of(planner *p, const limn_dirwalk_entry *input)
{
    const limn_file_key sidecar = key_of(p, p->path.bytes);
    return (planned){ .sidecar = sidecar, .image = key_of(p, input->path).bits[0] };
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
 * the end. What fails fails again in the run. */
static limn_status next_image(planner *p, limn_dirwalk_entry *input, limn_error *err)
{
    for (;;) {
        limn_error reason = { 0 };
        if (!limn_hooks_keep_going(p->hooks))
            return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        const limn_status s = limn_dirwalk_next(p->walk, input, &reason);
        if (s == LIMN_E_NOMEM) return limn_fail(err, s, "%s", reason.text);
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
        return limn_fail(err, LIMN_E_ARG, "%s: is there already (--existing error)", p->path.bytes);
    if (!limn_grow((void **)&p->items, &p->capacity, p->n_items + 1, sizeof *p->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    p->items[p->n_items++] = planned_of(p, input);
    return LIMN_OK;
}

/* ---- collisions ------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const limn_file_key *x = a, *y = b;
    for (size_t i = 0; i < 2; i++)
        if (x->bits[i] != y->bits[i]) return x->bits[i] < y->bits[i] ? -1 : 1;
    return 0;
}

/* Sidecars first: planned begins with the key. */
static int compare_planned(const void *a, const void *b)
{
    const planned *x = a, *y = b;
    const int order = compare_keys(&x->sidecar, &y->sidecar);
    return order ? order : x->image < y->image ? -1 : x->image > y->image;
}

static bool is_among(const planned *one, const planned *items, size_t n)
{
    return n && bsearch(one, items, n, sizeof *items, compare_planned);
}

/* Whether another image has the sidecar of item `i`; they are sorted. */
static bool has_rival(const planner *p, size_t i)
{
    const planned *items = p->items;
    return (i > 0 && !compare_keys(&items[i - 1].sidecar, &items[i].sidecar) &&
            items[i - 1].image != items[i].image) ||
           (i + 1 < p->n_items && !compare_keys(&items[i + 1].sidecar, &items[i].sidecar) &&
            items[i + 1].image != items[i].image);
}

/* Notes an input that shares its sidecar, but will get none: a RAW beside its JPEG. */
static limn_status drop_if_undecodable(planner *p, const limn_dirwalk_entry *input, void *ctx,
                                       limn_error *err)
{
    const planned one = planned_of(p, input);
    const planned *found = bsearch(&one, p->items, p->n_items, sizeof *p->items, compare_planned);
    (void)ctx;
    if (!found) return LIMN_OK;
    size_t first = (size_t)(found - p->items), last = first;
    while (first && !compare_planned(&p->items[first - 1], &one)) first--;
    while (last + 1 < p->n_items && !compare_planned(&p->items[last + 1], &one)) last++;
    if ((!has_rival(p, first) && !has_rival(p, last)) ||
        limn_image_file_can_be_decoded(input->path, limn_dirwalk_archive(p->walk)))
        return LIMN_OK;
    if (!limn_grow((void **)&p->dropped, &p->dropped_capacity, p->n_dropped + 1,
                   sizeof *p->dropped))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    p->dropped[p->n_dropped++] = one;
    return LIMN_OK;
}

/* Sorts the items, and takes out those that share a sidecar and will get none. */
static limn_status sort_items(planner *p, limn_error *err)
{
    size_t n = 0, n_rivals = 0;
    if (p->n_items) qsort(p->items, p->n_items, sizeof *p->items, compare_planned);
    for (size_t i = 0; i < p->n_items; i++) n_rivals += has_rival(p, i);
    if (!n_rivals) return LIMN_OK;
    LIMN_TRY(walk(p, drop_if_undecodable, NULL, err));
    if (p->n_dropped) qsort(p->dropped, p->n_dropped, sizeof *p->dropped, compare_planned);
    for (size_t i = 0; i < p->n_items; i++)
        if (!is_among(&p->items[i], p->dropped, p->n_dropped)) p->items[n++] = p->items[i];
    p->n_items = n;
    return LIMN_OK;
}

/* Names the images that share a sidecar. */
typedef struct naming_ctx {
    limn_file_key sidecar;
    uint64_t first_image;
    limn_buffer first; /* its path; empty before it was met */
} naming_ctx;

static limn_status name_them(planner *p, const limn_dirwalk_entry *input, void *ctx,
                             limn_error *err)
{
    naming_ctx *n = ctx;
    const planned one = planned_of(p, input);
    if (compare_keys(&one.sidecar, &n->sidecar) || is_among(&one, p->dropped, p->n_dropped))
        return LIMN_OK;
    if (n->first.size && one.image != n->first_image)
        return limn_fail(err, LIMN_E_ARG,
                         "%s and %s would share %s; --sidecar-full keeps them apart",
                         n->first.bytes, input->path, p->path.bytes);
    limn_buffer_clear(&n->first);
    limn_buffer_append_text(&n->first, input->path);
    n->first_image = one.image;
    return n->first.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status fail_collision(planner *p, limn_file_key sidecar, limn_error *err)
{
    naming_ctx n = { .sidecar = sidecar };
    limn_status s = walk(p, name_them, &n, err);
    limn_buffer_finish(&n.first);
    /* what collided is gone meanwhile: its place is free */
    return s;
}

static limn_status add_repeated(limn_sidecar_plan *plan, size_t *capacity, limn_file_key key,
                                limn_error *err)
{
    if (plan->n_repeated && !compare_keys(&plan->repeated[plan->n_repeated - 1], &key))
        return LIMN_OK;
    if (!limn_grow((void **)&plan->repeated, capacity, plan->n_repeated + 1, sizeof key))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    plan->repeated[plan->n_repeated++] = key;
    return LIMN_OK;
}

static limn_status find_shared(limn_sidecar_plan *plan, planner *p, limn_error *err)
{
    size_t capacity = 0;
    LIMN_TRY(sort_items(p, err));
    for (size_t i = 1; i < p->n_items; i++) {
        const planned *a = &p->items[i - 1], *b = &p->items[i];
        if (compare_keys(&a->sidecar, &b->sidecar)) continue;
        if (a->image != b->image) LIMN_TRY(fail_collision(p, a->sidecar, err));
        LIMN_TRY(add_repeated(plan, &capacity, a->sidecar, err));
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
    limn_free(p.items);
    limn_free(p.dropped);
    limn_buffer_finish(&p.path);
    limn_buffer_finish(&p.folder);
    if (s != LIMN_OK) limn_sidecar_plan_finish(out);
    return s;
}

size_t limn_sidecar_plan_find(const limn_sidecar_plan *plan, limn_file_key key)
{
    const limn_file_key *found =
        plan->n_repeated ? bsearch(&key, plan->repeated, plan->n_repeated, sizeof key, compare_keys)
                         : NULL;
    return found ? (size_t)(found - plan->repeated) : plan->n_repeated;
}

void limn_sidecar_plan_finish(limn_sidecar_plan *plan)
{
    limn_free(plan->repeated);
    *plan = (limn_sidecar_plan){ 0 };
}

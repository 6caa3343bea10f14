#include "tools/annotate/sinks/tar_names.h"

#include <string.h>

#include "common/image/format.h"
#include "common/io/archive_reader.h"
#include "common/text/path.h"
#include "tools/annotate/hooks.h"
#include "tools/annotate/input/image_file.h"
#include "tools/annotate/input/inputs.h"
#include "tools/annotate/sinks/photo_siblings.h"

enum { OF_THE_TAR = 0 /* the owner of names that are there; images are their members' numbers */ };

typedef struct reader {
    const limn_dirwalk_entry *tar;
    const limn_inputs *inputs;
    const char *const *endings;
    size_t n_endings;
    const limn_annotate_hooks *hooks;
    limn_archive *archive;
    limn_archive_member member;
    bool is_readable; /* the member is */
    size_t number;    /* its own, from 1 */
    limn_buffer path, name;
    limn_siblings shared;        /* images that share names in the copy; */
    limn_output_owners left_out; /* those of them that leave theirs to another file of the photo */
} reader;

limn_status limn_tar_name_make(limn_buffer *out, const char *image, const char *ending,
                               limn_error *err)
{
    const char *base = limn_path_last(image);
    const char *dot = strrchr(base, '.');
    limn_buffer_clear(out);
    limn_buffer_append(out, image, dot && dot > base ? (size_t)(dot - image) : strlen(image));
    limn_buffer_printf(out, ".%s", ending);
    return out->has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_output_owner owner_of(const char *name, uint64_t image)
{
    return (limn_output_owner){ limn_output_key_of("", 0, name), image };
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Whether the walk over the inputs takes the member. */
static bool is_taken(reader *r)
{
    const char *name = r->member.name;
    if (*name == '.' || strstr(name, "/.")) return false; /* hidden */
    limn_buffer_clear(&r->path);
    limn_buffer_printf(&r->path, "%s/%s", r->tar->relative, name);
    return !r->path.has_failed && limn_inputs_accept(r->inputs, r->path.bytes, LIMN_DIRWALK_FILE);
}

/* Whether the member will be captioned, unless it is damaged. */
static bool is_image(reader *r)
{
    unsigned char head[LIMN_IMAGE_PROBE_SIZE];
    size_t size = 0;
    return r->is_readable && r->member.kind == LIMN_ARCHIVE_FILE && is_taken(r) &&
           limn_archive_peek(r->archive, head, sizeof head, &size, NULL) == LIMN_OK &&
           limn_image_head_can_be_decoded(head, size);
}

/* Calls `visit` for each member; what can't be read ends it. */
static limn_status read_members(reader *r, limn_status (*visit)(reader *, void *, limn_error *),
                                void *ctx, limn_error *err)
{
    limn_status s = limn_archive_open(&r->archive, r->tar->path, NULL);
    for (r->number = 1; s == LIMN_OK; r->number++) {
        r->is_readable = limn_archive_next(r->archive, &r->member, NULL) == LIMN_OK;
        if (!r->member.name) break;
        s = limn_hooks_keep_going(r->hooks) ? visit(r, ctx, err)
                                            : limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        if (s != LIMN_OK) {
            limn_archive_close(&r->archive);
            return s;
        }
    }
    limn_archive_close(&r->archive);
    return LIMN_OK;
}

/* ctx: limn_output_owners, which get all names that the copy would have. */
static limn_status add_names(reader *r, void *ctx, limn_error *err)
{
    LIMN_TRY(limn_output_owners_add(ctx, owner_of(r->member.name, OF_THE_TAR), err));
    if (!is_image(r)) return LIMN_OK;
    for (size_t i = 0; i < r->n_endings; i++) {
        LIMN_TRY(limn_tar_name_make(&r->name, r->member.name, r->endings[i], err));
        LIMN_TRY(limn_output_owners_add(ctx, owner_of(r->name.bytes, r->number), err));
    }
    return LIMN_OK;
}

/* ---- files of one photo -------------------------------------------------------------------- */

/* ctx: limn_output_owners, sorted. */
static limn_status gather_shared(reader *r, void *ctx, limn_error *err)
{
    if (!is_image(r)) return LIMN_OK;
    for (size_t i = 0; i < r->n_endings; i++) {
        LIMN_TRY(limn_tar_name_make(&r->name, r->member.name, r->endings[i], err));
        const limn_output_owner owner = owner_of(r->name.bytes, r->number);
        if (limn_output_owners_has_rival(ctx, owner))
            LIMN_TRY(limn_siblings_add(&r->shared, owner, r->member.name, true, err));
    }
    return LIMN_OK;
}

/* ctx: limn_output_owners of images by their paths. */
static limn_status add_sibling(reader *r, void *ctx, limn_error *err)
{
    if (!is_image(r)) return LIMN_OK;
    LIMN_TRY(limn_tar_name_make(&r->name, r->member.name, r->endings[0], err));
    if (!limn_output_owners_has(&r->left_out, owner_of(r->name.bytes, r->number))) return LIMN_OK;
    limn_buffer_clear(&r->path);
    limn_buffer_printf(&r->path, "%s/%s", r->tar->path, r->member.name);
    if (r->path.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return limn_output_owners_add(ctx, limn_tar_sibling_key(r->path.bytes), err);
}

/* Takes those out of the owners that leave their names to another file. */
static limn_status find_siblings(reader *r, limn_output_owners *owners,
                                 limn_output_owners *siblings, limn_error *err)
{
    limn_output_owners_sort(owners);
    if (!limn_output_owners_any_shared(owners)) return LIMN_OK;
    LIMN_TRY(read_members(r, gather_shared, owners, err));
    LIMN_TRY(limn_siblings_choose(&r->left_out, &r->shared, err));
    if (!r->left_out.n_items) return LIMN_OK;
    limn_output_owners_remove(owners, &r->left_out);
    return read_members(r, add_sibling, siblings, err);
}

limn_output_owner limn_tar_sibling_key(const char *path)
{
    return (limn_output_owner){ limn_output_key_of("", 0, path), 0 };
}

/* ---- reporting clashes -------------------------------------------------------------------- */

typedef struct clash {
    limn_output_key key;
    size_t first_number; /* of the first member with that name; 0: none yet */
    limn_buffer first;   /* that member's own name */
    bool is_of_the_tar;  /* it has that name itself, and no image would get it */
    limn_buffer name;
} clash;

static limn_status fail(const reader *r, const clash *c, bool is_own, limn_error *err)
{
    const char *tar = r->tar->path;
    if (c->is_of_the_tar || is_own)
        return limn_fail(err, LIMN_E_ARG,
                         "%s: already has a member %s; choose another extension for --tar", tar,
                         c->name.bytes);
    if (!strcmp(c->first.bytes, r->member.name))
        return limn_fail(err, LIMN_E_ARG, "%s: has two members %s, which would share captions", tar,
                         c->first.bytes);
    return limn_fail(err, LIMN_E_ARG, "%s: %s and %s would share a member %s", tar, c->first.bytes,
                     r->member.name, c->name.bytes);
}

/* The copy would have a member `name`, of its own or added: the second with the clash's key fails.
 */
static limn_status note(const reader *r, clash *c, const char *name, limn_error *err)
{
    const bool is_own = name == r->member.name;
    if (limn_output_key_compare(owner_of(name, 0).output, c->key)) return LIMN_OK;
    limn_buffer_clear(&c->name);
    limn_buffer_append_text(&c->name, name);
    if (c->name.has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (c->first_number && (c->first_number != r->number || c->is_of_the_tar != is_own))
        return fail(r, c, is_own, err);
    c->first_number = r->number;
    c->is_of_the_tar = is_own;
    limn_buffer_clear(&c->first);
    limn_buffer_append_text(&c->first, r->member.name);
    return c->first.has_failed ? limn_fail(err, LIMN_E_NOMEM, "out of memory") : LIMN_OK;
}

static limn_status find_clash(reader *r, void *ctx, limn_error *err)
{
    LIMN_TRY(note(r, ctx, r->member.name, err));
    if (!is_image(r)) return LIMN_OK;
    for (size_t i = 0; i < r->n_endings; i++) {
        LIMN_TRY(limn_tar_name_make(&r->name, r->member.name, r->endings[i], err));
        if (!limn_output_owners_has(&r->left_out, owner_of(r->name.bytes, r->number)))
            LIMN_TRY(note(r, ctx, r->name.bytes, err));
    }
    return LIMN_OK;
}

static limn_status look_for_clash(reader *r, limn_output_owners *owners, limn_error *err)
{
    clash c = { 0 };
    limn_status s = LIMN_OK;
    for (size_t i = 0; s == LIMN_OK && i < owners->n_items; i++) {
        if (!limn_output_owners_is_shared(owners, i)) continue;
        c.key = owners->items[i].output;
        s = read_members(r, find_clash, &c, err);
        break; /* the tar has changed in the meantime */
    }
    limn_buffer_finish(&c.first);
    limn_buffer_finish(&c.name);
    return s;
}

limn_status limn_tar_names_check(const limn_dirwalk_entry *tar, const limn_inputs *inputs,
                                 const char *const *endings, size_t n_endings,
                                 const limn_annotate_hooks *hooks, limn_output_owners *siblings,
                                 limn_error *err)
{
    reader r = {
        .tar = tar, .inputs = inputs, .endings = endings, .n_endings = n_endings, .hooks = hooks
    };
    limn_output_owners owners = { 0 };
    limn_status s = read_members(&r, add_names, &owners, err);
    if (s == LIMN_OK) s = find_siblings(&r, &owners, siblings, err);
    if (s == LIMN_OK) s = look_for_clash(&r, &owners, err);
    limn_output_owners_finish(&owners);
    limn_output_owners_finish(&r.left_out);
    limn_siblings_finish(&r.shared);
    limn_buffer_finish(&r.path);
    limn_buffer_finish(&r.name);
    return s;
}

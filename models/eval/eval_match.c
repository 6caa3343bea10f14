#include "models/eval/eval_match.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/path.h"
#include "common/text/image_name.h"
#include "common/text/string_table.h"

#define AMBIGUOUS (UINT32_MAX - 1)

/* ---- names of images ---------------------------------------------------------------------- */

/* Names as the references have them, and the image that each stands for. */
typedef struct name_map {
    limn_string_table names;
    uint32_t *images;    /* [names.n_strings] */
    const char **wholes; /* [names.n_strings] the name that was first put under this one */
    size_t capacity, wholes_capacity;
} name_map;

static void finish_map(name_map *map)
{
    limn_string_table_finish(&map->names);
    limn_free(map->images);
    limn_free((void *)map->wholes);
}

/* *entry = the map's entry for a name; a new name gets `image`. Valid until the next put. */
static limn_status put(uint32_t **entry, name_map *map, const char *name, const char *whole,
                       uint32_t image, limn_error *err)
{
    const size_t n_before = map->names.n_strings;
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &map->names, name, strlen(name), err));
    if (!limn_grow((void **)&map->images, &map->capacity, map->names.n_strings,
                   sizeof *map->images) ||
        !limn_grow((void **)&map->wholes, &map->wholes_capacity, map->names.n_strings,
                   sizeof *map->wholes))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    if (map->names.n_strings > n_before) {
        map->images[number] = image;
        map->wholes[number] = whole;
    }
    *entry = &map->images[number];
    return LIMN_OK;
}

/* A name that two images share stands for neither. */
static limn_status put_once(name_map *map, const char *name, const char *whole, uint32_t image,
                            limn_error *err)
{
    uint32_t *entry = NULL;
    LIMN_TRY(put(&entry, map, name, whole, image, err));
    if (*entry != image) *entry = AMBIGUOUS;
    return LIMN_OK;
}

/* ---- the index of the references ---------------------------------------------------------- */

/* How much of a name must be equal; the first that finds an image counts. */
typedef enum match_tier { WHOLE, LAST, KEY, N_TIERS } match_tier;

/* Where a name stands. */
typedef enum match_table { FILES, IDS, N_TABLES } match_table;

typedef struct match_index {
    name_map maps[N_TABLES][N_TIERS];
    name_map own; /* the captions' own numbers */
    limn_buffer key;
    bool (*has)[N_TABLES]; /* [n_images] whether the image has a name in this table */
    size_t has_capacity;
    size_t n_own; /* hypotheses that are paired by `own` */
    const char *own_example;
} match_index;

static void finish_index(match_index *index)
{
    for (size_t t = 0; t < N_TABLES; t++)
        for (size_t i = 0; i < N_TIERS; i++) finish_map(&index->maps[t][i]);
    finish_map(&index->own);
    limn_free(index->has);
    limn_buffer_finish(&index->key);
}

static match_table table_of(limn_caption_name kind)
{
    return kind == LIMN_NAME_IMAGE_ID ? IDS : FILES;
}

/* The part of a name compared in a tier; valid until the next call. NULL: out of memory. */
static const char *part_of(match_index *index, const char *name, match_tier tier)
{
    if (tier == WHOLE) return name;
    if (tier == LAST) return limn_path_last(name);
    limn_image_name_key(&index->key, name);
    return index->key.has_failed ? NULL : index->key.bytes;
}

static limn_status put_name(match_index *index, const char *name, limn_caption_name kind,
                            uint32_t image, limn_error *err)
{
    if (!name) return LIMN_OK;
    if (kind == LIMN_NAME_OWN_ID) return put_once(&index->own, name, name, image, err);
    index->has[image][table_of(kind)] = true;
    for (match_tier tier = WHOLE; tier < N_TIERS; tier++) {
        const char *part = part_of(index, name, tier);
        if (!part) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
        LIMN_TRY(put_once(&index->maps[table_of(kind)][tier], part, name, image, err));
    }
    return LIMN_OK;
}

static limn_status fail_ambiguous(const char *name, limn_error *err)
{
    return limn_fail(err, LIMN_E_ARG, "%s: two images of the references have this name", name);
}

static limn_status add_image(limn_eval_match *match, match_index *index, const char *id,
                             limn_error *err)
{
    if (!limn_grow((void **)&match->ids, &match->ids_capacity, match->n_images + 1,
                   sizeof *match->ids) ||
        !limn_grow((void **)&index->has, &index->has_capacity, match->n_images + 1,
                   sizeof *index->has))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    for (match_table t = FILES; t < N_TABLES; t++) index->has[match->n_images][t] = false;
    match->ids[match->n_images++] = id;
    return LIMN_OK;
}

static limn_status match_refs(limn_eval_match *match, match_index *index,
                              const limn_caption_file *refs, limn_error *err)
{
    for (size_t i = 0; i < refs->n_records; i++) {
        const limn_caption_record *r = &refs->records[i];
        const uint32_t next = (uint32_t)match->n_images;
        uint32_t *entry, image;
        LIMN_TRY(put(&entry, &index->maps[table_of(r->id_kind)][WHOLE], r->id, r->id, next, err));
        match->image_of_ref[i] = image = *entry;
        if (image == AMBIGUOUS) return fail_ambiguous(r->id, err);
        if (image == next) {
            LIMN_TRY(add_image(match, index, r->id, err));
            LIMN_TRY(put_name(index, r->id, r->id_kind, image, err));
        }
        LIMN_TRY(put_name(index, r->alias, r->alias_kind, image, err));
    }
    return LIMN_OK;
}

/* ---- hypotheses --------------------------------------------------------------------------- */

/* *image: NO_IMAGE so far, or the image found by other names of the hypothesis. */
static void add_candidate(uint32_t *image, uint32_t found)
{
    *image = *image == LIMN_EVAL_NO_IMAGE || *image == found ? found : AMBIGUOUS;
}

/* The table in which a name must be found, for images that have a name there; N_TABLES: any. A name
 * in a TSV may be of either table, unless it has an image's extension, which makes it a file's in
 * any field. */
static match_table own_table(const char *name, limn_caption_name kind)
{
    if (limn_image_name_has_ending(name) || kind == LIMN_NAME_FILE) return FILES;
    return kind == LIMN_NAME_IMAGE_ID ? IDS : N_TABLES;
}

static uint32_t get(match_index *index, const name_map *map, const char *name, match_tier tier)
{
    const char *part = part_of(index, name, tier);
    uint32_t number;
    if (!part || !limn_string_table_find(&number, &map->names, part, strlen(part)))
        return LIMN_EVAL_NO_IMAGE;
    if (tier == KEY && !limn_image_name_endings_agree(map->wholes[number], name))
        return LIMN_EVAL_NO_IMAGE;
    return map->images[number];
}

static void look_up(uint32_t *image, match_index *index, const char *name, limn_caption_name kind,
                    match_tier tier)
{
    if (!name || kind == LIMN_NAME_OWN_ID) return;
    const match_table own = own_table(name, kind);
    for (match_table t = FILES; t < N_TABLES; t++) {
        const uint32_t found = get(index, &index->maps[t][tier], name, tier);
        const bool is_image = found < AMBIGUOUS;
        if (is_image && own != N_TABLES && own != t && index->has[found][own]) continue;
        if (found != LIMN_EVAL_NO_IMAGE) add_candidate(image, found);
    }
}

/* The image by the captions' own numbers. */
static uint32_t find_own(match_index *index, const limn_caption_record *hyp)
{
    const char *name = hyp->id_kind == LIMN_NAME_PLAIN                     ? hyp->id
                       : hyp->alias && hyp->alias_kind == LIMN_NAME_OWN_ID ? hyp->alias
                                                                           : NULL;
    if (!name) return LIMN_EVAL_NO_IMAGE;
    const uint32_t image = get(index, &index->own, name, WHOLE);
    if (image != LIMN_EVAL_NO_IMAGE && index->n_own++ == 0) index->own_example = name;
    return image;
}

static limn_status find_image(uint32_t *image, match_index *index, const limn_caption_record *hyp,
                              limn_error *err)
{
    *image = LIMN_EVAL_NO_IMAGE;
    for (match_tier tier = WHOLE; tier < N_TIERS && *image == LIMN_EVAL_NO_IMAGE; tier++) {
        look_up(image, index, hyp->id, hyp->id_kind, tier);
        look_up(image, index, hyp->alias, hyp->alias_kind, tier);
    }
    if (*image == LIMN_EVAL_NO_IMAGE) *image = find_own(index, hyp);
    return *image == AMBIGUOUS ? fail_ambiguous(hyp->id, err) : LIMN_OK;
}

static limn_status match_hyps(limn_eval_match *match, match_index *index,
                              const limn_caption_file *hyps, limn_error *err)
{
    const size_t no_entry = SIZE_MAX;
    size_t *entries = limn_alloc(match->n_images, sizeof *entries); /* of each image */
    limn_status status = LIMN_OK;
    if (!entries) return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < match->n_images; i++) entries[i] = no_entry;
    for (size_t i = 0; status == LIMN_OK && i < hyps->n_records; i++) {
        const limn_caption_record *r = &hyps->records[i];
        uint32_t image;
        status = find_image(&image, index, r, err);
        match->image_of_hyp[i] = image;
        if (status != LIMN_OK || image == LIMN_EVAL_NO_IMAGE) continue;
        if (entries[image] != no_entry && entries[image] != r->entry)
            status =
                limn_fail(err, LIMN_E_ARG, "%s: two hypotheses for one image, entries %zu and %zu",
                          r->id, entries[image] + 1, r->entry + 1);
        entries[image] = r->entry;
    }
    limn_free(entries);
    return status;
}

/* ---- the match ---------------------------------------------------------------------------- */

limn_status limn_eval_match_create(limn_eval_match *out, const limn_caption_file *refs,
                                   const limn_caption_file *hyps, limn_error *err)
{
    match_index index = { .n_own = 0 };
    limn_status status;
    *out = (limn_eval_match){ 0 };
    out->image_of_ref = limn_alloc(refs->n_records, sizeof *out->image_of_ref);
    out->image_of_hyp = limn_alloc(hyps->n_records, sizeof *out->image_of_hyp);
    if (!out->image_of_ref || !out->image_of_hyp)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    else
        status = match_refs(out, &index, refs, err);
    if (status == LIMN_OK) status = match_hyps(out, &index, hyps, err);
    out->n_by_number = index.n_own;
    out->by_number = index.own_example;
    finish_index(&index);
    if (status != LIMN_OK) limn_eval_match_finish(out);
    return status;
}

void limn_eval_match_finish(limn_eval_match *match)
{
    limn_free(match->image_of_ref);
    limn_free(match->image_of_hyp);
    limn_free((void *)match->ids);
    *match = (limn_eval_match){ 0 };
}

/* ---- what differs ------------------------------------------------------------------------- */

static void append_difference(limn_buffer *out, const char *ref, const char *hyp)
{
    limn_buffer difference = { 0 };
    limn_image_name_difference(&difference, ref, hyp);
    if (difference.size > 0)
        limn_buffer_printf(out, "; \"%s\" and \"%s\" differ in %s", ref, hyp, difference.bytes);
    limn_buffer_finish(&difference);
}

limn_status limn_eval_match_explain(limn_buffer *out, const char *const *refs, size_t n_refs,
                                    const char *const *hyps, size_t n_hyps, limn_error *err)
{
    limn_string_table folds = { 0 };
    limn_buffer fold = { 0 };
    limn_status status = LIMN_OK;
    uint32_t number;
    size_t n = 0; /* names in `folds`, each with the number of its first reference */
    size_t *first = limn_alloc(n_refs, sizeof *first);
    if (!first) status = limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < n_refs && status == LIMN_OK; i++) {
        limn_image_name_fold(&fold, refs[i]);
        status = limn_string_table_add(&number, &folds, fold.bytes, fold.size, err);
        if (folds.n_strings > n) first[n++] = i;
    }
    for (size_t i = 0; i < n_hyps && status == LIMN_OK; i++) {
        limn_image_name_fold(&fold, hyps[i]);
        if (!limn_string_table_find(&number, &folds, fold.bytes, fold.size)) continue;
        append_difference(out, refs[first[number]], hyps[i]);
        break;
    }
    limn_free(first);
    limn_string_table_finish(&folds);
    limn_buffer_finish(&fold);
    return status;
}

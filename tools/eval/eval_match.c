#include "tools/eval/eval_match.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/text/string_table.h"

#define AMBIGUOUS (UINT32_MAX - 1)

/* Names, and the image that each stands for. */
typedef struct name_map {
    limn_string_table names;
    uint32_t *images; /* [names.n_strings] */
    size_t capacity;
} name_map;

static void finish_map(name_map *map)
{
    limn_string_table_finish(&map->names);
    limn_free(map->images);
}

/* *entry = where the image of a name is noted; a new name gets `image`. Valid until the next put.
 */
static limn_status put(uint32_t **entry, name_map *map, const char *name, uint32_t image,
                       limn_error *err)
{
    const size_t n_before = map->names.n_strings;
    uint32_t number;
    LIMN_TRY(limn_string_table_add(&number, &map->names, name, strlen(name), err));
    if (!limn_grow((void **)&map->images, &map->capacity, map->names.n_strings,
                   sizeof *map->images))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    if (map->names.n_strings > n_before) map->images[number] = image;
    *entry = &map->images[number];
    return LIMN_OK;
}

static uint32_t get(const name_map *map, const char *name)
{
    uint32_t number;
    if (!name || !limn_string_table_find(&number, &map->names, name, strlen(name)))
        return LIMN_EVAL_NO_IMAGE;
    return map->images[number];
}

static const char *last_component(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

/* A last component that two images share stands for neither. */
static limn_status put_last(name_map *map, const char *name, uint32_t image, limn_error *err)
{
    uint32_t *entry;
    LIMN_TRY(put(&entry, map, last_component(name), image, err));
    if (*entry != image) *entry = AMBIGUOUS;
    return LIMN_OK;
}

static limn_status match_refs(limn_eval_match *match, name_map *whole, name_map *last,
                              const limn_caption_file *refs, limn_error *err)
{
    for (size_t i = 0; i < refs->n_records; i++) {
        const limn_caption_record *r = &refs->records[i];
        const uint32_t next = (uint32_t)match->n_images;
        uint32_t *entry, image;
        LIMN_TRY(put(&entry, whole, r->id, next, err));
        match->image_of_ref[i] = image = *entry;
        if (image != next) continue;
        if (!limn_grow((void **)&match->ids, &match->ids_capacity, match->n_images + 1,
                       sizeof *match->ids))
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
        match->ids[match->n_images++] = r->id;
        LIMN_TRY(put_last(last, r->id, image, err));
        if (r->alias) {
            LIMN_TRY(put(&entry, whole, r->alias, image, err));
            LIMN_TRY(put_last(last, r->alias, image, err));
        }
    }
    return LIMN_OK;
}

static limn_status find_image(uint32_t *image, const name_map *whole, const name_map *last,
                              const limn_caption_record *hyp, limn_error *err)
{
    const char *const names[] = { hyp->id, hyp->alias };
    *image = LIMN_EVAL_NO_IMAGE;
    for (size_t i = 0; i < 2 && *image == LIMN_EVAL_NO_IMAGE; i++) *image = get(whole, names[i]);
    for (size_t i = 0; i < 2 && *image == LIMN_EVAL_NO_IMAGE; i++)
        *image = get(last, last_component(names[i]));
    if (*image == AMBIGUOUS)
        return limn_fail(err, LIMN_E_ARG,
                         "%s: two pictures of the references have this last component",
                         last_component(hyp->id));
    return LIMN_OK;
}

static limn_status match_hyps(limn_eval_match *match, const name_map *whole, const name_map *last,
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
        status = find_image(&image, whole, last, r, err);
        match->image_of_hyp[i] = image;
        if (status != LIMN_OK || image == LIMN_EVAL_NO_IMAGE) continue;
        if (entries[image] != no_entry && entries[image] != r->entry)
            status = limn_fail(err, LIMN_E_ARG,
                               "%s: two hypotheses for one picture, entries %zu and %zu", r->id,
                               entries[image] + 1, r->entry + 1);
        entries[image] = r->entry;
    }
    limn_free(entries);
    return status;
}

limn_status limn_eval_match_create(limn_eval_match *out, const limn_caption_file *refs,
                                   const limn_caption_file *hyps, limn_error *err)
{
    name_map whole = { 0 }, last = { 0 };
    limn_status status;
    *out = (limn_eval_match){ 0 };
    out->image_of_ref = limn_alloc(refs->n_records, sizeof *out->image_of_ref);
    out->image_of_hyp = limn_alloc(hyps->n_records, sizeof *out->image_of_hyp);
    if (!out->image_of_ref || !out->image_of_hyp)
        status = limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
    else
        status = match_refs(out, &whole, &last, refs, err);
    if (status == LIMN_OK) status = match_hyps(out, &whole, &last, hyps, err);
    finish_map(&whole);
    finish_map(&last);
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

#include "tools/score/score_captions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/text/path.h"
#include "common/text/image_name.h"
#include "common/text/string_table.h"
#include "tools/caption_input.h"

static limn_status no_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for captions");
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* FOLDER/NAME into `path`; whether something is there, and no folder. */
static bool is_there(limn_buffer *path, const char *folder, const char *name, struct stat *st)
{
    limn_buffer_clear(path);
    limn_buffer_printf(path, "%s/%s", folder, name);
    return !path->has_failed && stat(path->bytes, st) == 0 && !S_ISDIR(st->st_mode);
}

static limn_status find_image(limn_buffer *path, const char *folder,
                              const limn_caption_record *record, limn_error *err)
{
    const char *alias = record->alias ? record->alias : record->id;
    const char *const names[] = { record->id, limn_path_last(record->id), alias,
                                  limn_path_last(alias) };
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_there(path, folder, names[i], &st)) return LIMN_OK;
    is_there(path, folder, record->id, &st);
    if (path->has_failed) return no_memory(err);
    if (stat(path->bytes, &st) == 0)
        return limn_fail(err, LIMN_E_ARG, "%s: is a folder, but captions name it as an image",
                         path->bytes);
    return LIMN_OK;
}

/* ---- images ------------------------------------------------------------------------------- */

typedef struct grouping {
    limn_string_table paths;
    uint32_t *image_of; /* [n_records] */
    size_t *n_captions; /* [paths.n_strings] */
} grouping;

static void finish_grouping(grouping *g)
{
    limn_string_table_finish(&g->paths);
    limn_free(g->image_of);
    limn_free(g->n_captions);
}

/* Captions of an image mostly follow each other: its path is looked for once then. */
static bool is_same_image(const limn_caption_record *a, const limn_caption_record *b)
{
    return !strcmp(a->id, b->id) && (!a->alias || !b->alias || !strcmp(a->alias, b->alias));
}

static limn_status group_records(grouping *g, const limn_caption_file *file, const char *folder,
                                 limn_error *err)
{
    limn_buffer path = { 0 };
    limn_status s = LIMN_OK;
    g->image_of = limn_calloc(file->n_records, sizeof *g->image_of);
    g->n_captions = limn_calloc(file->n_records, sizeof *g->n_captions);
    if (!g->image_of || !g->n_captions) return no_memory(err);
    for (size_t i = 0; i < file->n_records && s == LIMN_OK; i++) {
        const limn_caption_record *r = &file->records[i];
        if (i == 0 || !is_same_image(r, r - 1)) s = find_image(&path, folder, r, err);
        if (s == LIMN_OK)
            s = limn_string_table_add(&g->image_of[i], &g->paths, path.bytes, path.size, err);
        if (s == LIMN_OK) g->n_captions[g->image_of[i]] += r->caption != NULL;
    }
    limn_buffer_finish(&path);
    return s;
}

static int compare_paths(const void *a, const void *b)
{
    const limn_score_image *const *x = a, *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

/* Images without a single caption are left out. */
static limn_status add_images(limn_score_captions *c, const grouping *g,
                              limn_score_image **image_of, limn_error *err)
{
    size_t first = 0;
    for (uint32_t i = 0; i < g->paths.n_strings; i++) {
        limn_score_image *p = &c->images[c->n_images];
        if (g->n_captions[i] == 0) continue;
        p->path = limn_strdup(limn_string_table_get(&g->paths, i));
        if (!p->path) return no_memory(err);
        p->captions = c->records + first;
        first += g->n_captions[i];
        image_of[i] = p;
        c->by_path[c->n_images++] = p;
    }
    qsort(c->by_path, c->n_images, sizeof *c->by_path, compare_paths);
    for (size_t i = 0; i < c->file.n_records; i++) {
        limn_score_image *p = image_of[g->image_of[i]];
        if (c->file.records[i].caption)
            p->captions[p->n_captions++] = &c->file.records[i];
        else
            c->n_without += !c->file.records[i].is_rejected;
    }
    return LIMN_OK;
}

static limn_status build(limn_score_captions *c, grouping *g, const char *folder, limn_error *err)
{
    LIMN_TRY(group_records(g, &c->file, folder, err));
    const size_t n = g->paths.n_strings;
    limn_score_image **image_of = limn_calloc(n, sizeof *image_of);
    c->images = limn_calloc(n, sizeof *c->images);
    c->by_path = limn_calloc(n, sizeof *c->by_path);
    c->records = limn_calloc(c->file.n_records, sizeof *c->records);
    const limn_status s = image_of && c->images && c->by_path && c->records
                              ? add_images(c, g, image_of, err)
                              : no_memory(err);
    limn_free(image_of);
    return s;
}

limn_status limn_score_captions_read(limn_score_captions *out, const char *path, const char *folder,
                                     const limn_caption_reading *how, limn_error *err)
{
    grouping g = { .image_of = NULL };
    *out = (limn_score_captions){ .n_images = 0 };
    LIMN_TRY(limn_caption_input_read(&out->file, path, how, err));
    const limn_status s = build(out, &g, folder, err);
    finish_grouping(&g);
    if (s != LIMN_OK) limn_score_captions_finish(out);
    return s;
}

void limn_score_captions_finish(limn_score_captions *c)
{
    for (size_t i = 0; i < c->n_images; i++) limn_free(c->images[i].path);
    limn_free(c->images);
    limn_free(c->by_path);
    limn_free(c->records);
    limn_caption_file_finish(&c->file);
    *c = (limn_score_captions){ .n_images = 0 };
}

const limn_score_image *limn_score_captions_find(const limn_score_captions *c, const char *path)
{
    limn_score_image wanted = { .path = (char *)path }, *key = &wanted;
    const limn_score_image *const *found =
        bsearch(&key, c->by_path, c->n_images, sizeof *c->by_path, compare_paths);
    return found ? *found : NULL;
}

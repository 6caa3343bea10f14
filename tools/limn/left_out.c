#include "tools/limn/left_out.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/status.h"

/* ---- captions ----------------------------------------------------------------------------- */

static bool is_sure(const limn_caption *c, float min)
{
    return (float)c->confidence >= min;
}

limn_status sure_captions_choose(sure_captions *s, const limn_captions **captions, float min,
                                 limn_error *err)
{
    const limn_captions *from = *captions;
    size_t n = 0;
    if (!limn_grow((void **)&s->items, &s->capacity, from->n_items, sizeof *s->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < from->n_items; i++)
        if (is_sure(&from->items[i], min)) s->items[n++] = from->items[i];
    if (n == from->n_items) return LIMN_OK;
    s->captions = *from;
    s->captions.items = s->items;
    s->captions.n_items = n;
    *captions = &s->captions;
    return LIMN_OK;
}

void sure_captions_finish(sure_captions *s)
{
    limn_free(s->items);
}

/* ---- pictures ----------------------------------------------------------------------------- */

void left_out_init(left_out_list *l)
{
    *l = (left_out_list){ .n_paths = 0 };
    pthread_mutex_init(&l->mutex, NULL);
}

void left_out_finish(left_out_list *l)
{
    while (l->n_paths) limn_free(l->paths[--l->n_paths]);
    limn_free(l->paths);
    pthread_mutex_destroy(&l->mutex);
}

limn_status left_out_add(left_out_list *l, const char *path, limn_error *err)
{
    char *copy = limn_strdup(path);
    pthread_mutex_lock(&l->mutex);
    const bool is_added =
        copy && limn_grow((void **)&l->paths, &l->capacity, l->n_paths + 1, sizeof *l->paths);
    if (is_added) l->paths[l->n_paths++] = copy;
    pthread_mutex_unlock(&l->mutex);
    if (is_added) return LIMN_OK;
    limn_free(copy);
    return limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

bool left_out_take(left_out_list *l, const char *path)
{
    size_t i = 0;
    pthread_mutex_lock(&l->mutex);
    while (i < l->n_paths && strcmp(l->paths[i], path) != 0) i++;
    const bool is_there = i < l->n_paths;
    if (is_there) {
        limn_free(l->paths[i]);
        l->paths[i] = l->paths[--l->n_paths];
    }
    pthread_mutex_unlock(&l->mutex);
    return is_there;
}

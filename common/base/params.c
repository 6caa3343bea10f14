#include "common/base/params.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static limn_status grow(limn_params *p, limn_error *err)
{
    const size_t capacity = p->capacity ? 2 * p->capacity : 64;
    limn_param *items = limn_realloc(p->items, capacity, sizeof *items);
    if (!items) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu parameters", capacity);
    p->items = items;
    p->capacity = capacity;
    return LIMN_OK;
}

limn_status limn_params_add(limn_params *p, const char *name, size_t n_dims, const size_t *shape,
                            bool decays, limn_error *err)
{
    size_t n = 1, end;
    if (p->values || n_dims > LIMN_PARAM_MAX_DIMS || strlen(name) >= LIMN_PARAM_NAME_SIZE)
        return limn_fail(err, LIMN_E_ARG, "parameter '%s' can't be added", name);
    for (size_t i = 0; i < n_dims; i++)
        if (!limn_size_mul(&n, n, shape[i]))
            return limn_fail(err, LIMN_E_NOMEM, "parameter '%s' is too large", name);
    if (!limn_size_add(&end, n, 15) || !limn_size_add(&end, p->n_floats, end - end % 16))
        return limn_fail(err, LIMN_E_NOMEM, "parameter '%s' is too large", name);
    if (p->n_items == p->capacity) LIMN_TRY(grow(p, err));
    limn_param *item = &p->items[p->n_items++];
    *item = (limn_param){
        .n_dims = n_dims, .offset = p->n_floats, .n = n, .decays = decays, .rate = 1.0f
    };
    snprintf(item->name, sizeof item->name, "%s", name);
    for (size_t i = 0; i < n_dims; i++) item->shape[i] = shape[i];
    p->n_floats = end;
    return LIMN_OK;
}

limn_status limn_params_allocate(limn_params *p, limn_error *err)
{
    p->values = limn_alloc_aligned(p->n_floats, sizeof *p->values);
    p->gradients = limn_alloc_aligned(p->n_floats, sizeof *p->gradients);
    if (!p->values || !p->gradients)
        return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu parameters", p->n_floats);
    memset(p->values, 0, p->n_floats * sizeof *p->values);
    limn_params_clear_gradients(p);
    return LIMN_OK;
}

void limn_params_finish(limn_params *p)
{
    limn_free(p->items);
    limn_free(p->values);
    limn_free(p->gradients);
    *p = (limn_params){ 0 };
}

const limn_param *limn_params_find(const limn_params *p, const char *name)
{
    for (size_t i = 0; i < p->n_items; i++)
        if (strcmp(p->items[i].name, name) == 0) return &p->items[i];
    return NULL;
}

void limn_params_clear_gradients(limn_params *p)
{
    memset(p->gradients, 0, p->n_floats * sizeof *p->gradients);
}

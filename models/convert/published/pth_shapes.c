#include "models/convert/published/pth_shapes.h"

#include <stdio.h>
#include <string.h>

static const limn_tensor *find(const published *p, const char *name)
{
    char full[MAX_PUBLISHED_NAME];
    snprintf(full, sizeof full, "%s%s", p->kind->prefix, name);
    return tensor_list_find(&p->tensors, full);
}

bool pth_has(const published *p, const char *name)
{
    return find(p, name) != NULL;
}

limn_status pth_dim(uint32_t *out, const published *p, const char *name, size_t dim, uint32_t high,
                    limn_error *err)
{
    const limn_tensor *t = find(p, name);
    if (!t)
        return limn_fail(err, LIMN_E_FORMAT, "%s: tensor %s%s is missing", p->path, p->kind->prefix,
                         name);
    if (dim >= t->n_dims || t->shape[dim] < 1 || t->shape[dim] > high)
        return limn_fail(err, LIMN_E_FORMAT,
                         "%s: tensor %s: expected %zu dimensions or more, the last of these 1 … %u",
                         p->path, t->name, dim + 1, high);
    *out = (uint32_t)t->shape[dim];
    return LIMN_OK;
}

uint32_t pth_count(const published *p, const char *before, const char *after)
{
    char name[MAX_PUBLISHED_NAME];
    uint32_t n = 0;
    do {
        snprintf(name, sizeof name, "%s%u%s", before, n, after);
    } while (pth_has(p, name) && ++n < 1000);
    return n;
}

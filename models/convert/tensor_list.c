#include "models/convert/tensor_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static int compare_items(const void *a, const void *b)
{
    const tensor_item *x = a, *y = b;
    return strcmp(x->tensor->name, y->tensor->name);
}

limn_status tensor_list_add(tensor_list *list, const limn_tensor *tensor, const char *file,
                            limn_error *err)
{
    if (!limn_grow((void **)&list->items, &list->capacity, list->n_items + 1, sizeof *list->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", list->n_items + 1);
    list->items[list->n_items++] = (tensor_item){ tensor, file, false };
    return LIMN_OK;
}

limn_status tensor_list_sort(tensor_list *list, limn_error *err)
{
    if (list->n_items > 1) qsort(list->items, list->n_items, sizeof *list->items, compare_items);
    for (size_t i = 1; i < list->n_items; i++)
        if (compare_items(&list->items[i - 1], &list->items[i]) == 0)
            return limn_fail(err, LIMN_E_FORMAT, "two tensors are named %s",
                             list->items[i].tensor->name);
    return LIMN_OK;
}

void tensor_list_finish(tensor_list *list)
{
    limn_free(list->items);
    *list = (tensor_list){ NULL, 0, 0 };
}

static tensor_item *find_item(const tensor_list *list, const char *name)
{
    const limn_tensor wanted = { .name = name };
    const tensor_item key = { &wanted, NULL, false };
    return list->n_items
               ? bsearch(&key, list->items, list->n_items, sizeof *list->items, compare_items)
               : NULL;
}

const tensor_item *tensor_list_find_item(const tensor_list *list, const char *name)
{
    return find_item(list, name);
}

const limn_tensor *tensor_list_find(const tensor_list *list, const char *name)
{
    const tensor_item *item = find_item(list, name);
    return item ? item->tensor : NULL;
}

const limn_tensor *tensor_list_use(tensor_list *list, const char *name)
{
    tensor_item *item = find_item(list, name);
    if (!item) return NULL;
    item->is_used = true;
    return item->tensor;
}

static bool is_float(limn_tensor_dtype t)
{
    return t == LIMN_TENSOR_F32 || t == LIMN_TENSOR_F16 || t == LIMN_TENSOR_BF16;
}

limn_status tensor_list_require(const limn_tensor **out, tensor_list *list, const char *name,
                                size_t n_dims, const size_t *shape, limn_error *err)
{
    char is[160], expected[160];
    const limn_tensor *t = *out = tensor_list_use(list, name);
    limn_tensor_describe(expected, sizeof expected, LIMN_TENSOR_F32, n_dims, shape);
    if (!t)
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s is missing, expected %s", name, expected);
    limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
    if (t->n_dims != n_dims || memcmp(t->shape, shape, n_dims * sizeof *shape) != 0 ||
        !is_float(t->dtype))
        return limn_fail(err, LIMN_E_FORMAT, "tensor %s is %s, expected %s, F16 or BF16", name, is,
                         expected);
    return LIMN_OK;
}

limn_status tensor_list_read(float **out, tensor_list *list, const char *name, size_t n_dims,
                             const size_t *shape, limn_error *err)
{
    const limn_tensor *t;
    const size_t n = tensor_values(n_dims, shape);
    *out = NULL;
    LIMN_TRY(tensor_list_require(&t, list, name, n_dims, shape, err));
    *out = limn_alloc(n, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", name);
    limn_tensor_to_f32(*out, t);
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*out)[i])) {
            limn_fail(err, LIMN_E_FORMAT, "tensor %s: value %zu is %g, expected a finite one", name,
                      i, (double)(*out)[i]);
            limn_free(*out);
            *out = NULL;
            return LIMN_E_FORMAT;
        }
    return LIMN_OK;
}

size_t tensor_values(size_t n_dims, const size_t *shape)
{
    size_t n = 1;
    for (size_t i = 0; i < n_dims; i++) n *= shape[i];
    return n;
}

/* The tensors of one file or several as one list, each of which must be used, or known to be
 * irrelevant: any other means that the file is another model's. */
#ifndef LIMN_MODELS_CONVERT_TENSOR_LIST_H
#define LIMN_MODELS_CONVERT_TENSOR_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/io/safetensors.h"

typedef struct tensor_item {
    const limn_tensor *tensor; /* borrowed, as `file` */
    const char *file;          /* the file it is in, for messages; NULL if there is only one */
    bool is_used;              /* some tensor of the output was made from it */
} tensor_item;

typedef struct tensor_list {
    tensor_item *items; /* [n_items], sorted by name after tensor_list_sort */
    size_t n_items, capacity;
} tensor_list; /* zero-initialise */

limn_status tensor_list_add(tensor_list *list, const limn_tensor *tensor, const char *file,
                            limn_error *err);
/* Before any of the functions below. LIMN_E_FORMAT: two tensors of one name. */
limn_status tensor_list_sort(tensor_list *list, limn_error *err);
void tensor_list_finish(tensor_list *list); /* accepts a zeroed struct */

/* NULL when there is none of that name. */
const tensor_item *tensor_list_find_item(const tensor_list *list, const char *name);
const limn_tensor *tensor_list_find(const tensor_list *list, const char *name);
/* The same, marked as used. */
const limn_tensor *tensor_list_use(tensor_list *list, const char *name);
/* The same, which must have this shape and be of floating point. LIMN_E_FORMAT names the tensor,
 * what it is and what was expected. */
limn_status tensor_list_require(const limn_tensor **out, tensor_list *list, const char *name,
                                size_t n_dims, const size_t *shape, limn_error *err);
/* Its values as f32, which the caller frees. LIMN_E_FORMAT too when one is not finite;
 * LIMN_E_NOMEM. */
limn_status tensor_list_read(float **out, tensor_list *list, const char *name, size_t n_dims,
                             const size_t *shape, limn_error *err);

/* The number of values of a shape that was checked before. */
size_t tensor_values(size_t n_dims, const size_t *shape);

#endif

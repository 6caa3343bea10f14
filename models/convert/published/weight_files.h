/* The files that hold the weights of a published captioner: one, or the parts that an index
 * lists. */
#ifndef LIMN_MODELS_CONVERT_PUBLISHED_WEIGHT_FILES_H
#define LIMN_MODELS_CONVERT_PUBLISHED_WEIGHT_FILES_H

#include "common/io/pth.h"
#include "common/io/safetensors.h"
#include "models/convert/tensor_list.h"

typedef struct weight_file {
    char *path;
    limn_safetensors *safetensors; /* one of the two is open */
    limn_pth *pth;
} weight_file;

typedef struct weight_files {
    weight_file *items; /* [n_items] */
    size_t n_items, capacity;
} weight_files; /* zero-initialise */

/* Opens a .safetensors or a PyTorch file, distinguished by content, and appends its tensors to
 * `list`. Errors begin with the path. */
limn_status weight_files_add(weight_files *files, tensor_list *list, const char *path,
                             limn_error *err);
/* Opens the parts that FOLDER/INDEX lists ("weight_map": a tensor's name to a file's).
 * LIMN_E_FORMAT names a part that is missing, and a tensor that is not in the part where the index
 * has it. */
limn_status weight_files_add_parts(weight_files *files, tensor_list *list, const char *folder,
                                   const char *index, limn_error *err);
void weight_files_close(weight_files *files); /* accepts a zeroed struct */

#endif

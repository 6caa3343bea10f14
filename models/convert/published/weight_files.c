#include "models/convert/published/weight_files.h"

#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/text/path.h"
#include "models/convert/published/folder_file.h"

/* ---- one file ----------------------------------------------------------------------------- */

static limn_status add_file(weight_file **out, weight_files *files, const char *path,
                            limn_error *err)
{
    if (!limn_grow((void **)&files->items, &files->capacity, files->n_items + 1,
                   sizeof *files->items))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    weight_file *f = *out = &files->items[files->n_items++];
    *f = (weight_file){ .path = limn_strdup(path) };
    return f->path ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status list_tensors(tensor_list *list, const weight_file *f, limn_error *err)
{
    const size_t n =
        f->pth ? limn_pth_n_tensors(f->pth) : limn_safetensors_n_tensors(f->safetensors);
    for (size_t i = 0; i < n; i++)
        LIMN_TRY(tensor_list_add(
            list, f->pth ? limn_pth_at(f->pth, i) : limn_safetensors_at(f->safetensors, i), f->path,
            err));
    return LIMN_OK;
}

limn_status weight_files_add(weight_files *files, tensor_list *list, const char *path,
                             limn_error *err)
{
    weight_file *f = NULL;
    bool is_pth;
    LIMN_TRY(limn_pth_probe(&is_pth, path, err));
    LIMN_TRY(add_file(&f, files, path, err));
    LIMN_TRY(is_pth ? limn_pth_open(&f->pth, path, err)
                    : limn_safetensors_open(&f->safetensors, path, err));
    return list_tensors(list, f, err);
}

void weight_files_close(weight_files *files)
{
    for (size_t i = 0; i < files->n_items; i++) {
        limn_safetensors_close(&files->items[i].safetensors);
        limn_pth_close(&files->items[i].pth);
        limn_free(files->items[i].path);
    }
    limn_free(files->items);
    *files = (weight_files){ NULL, 0, 0 };
}

/* ---- parts -------------------------------------------------------------------------------- */

static bool is_open(const weight_files *files, const char *path)
{
    for (size_t i = 0; i < files->n_items; i++)
        if (strcmp(files->items[i].path, path) == 0) return true;
    return false;
}

/* Opens the part that a member of the weight map names, unless it is open. */
static limn_status add_part(weight_files *files, tensor_list *list, const char *folder,
                            const limn_json_node *member, limn_error *err)
{
    const char *name;
    limn_status s = LIMN_OK;
    LIMN_TRY(limn_json_as_string(&name, member, err));
    if (!name[0] || name[0] == '.' || strchr(name, '/'))
        return limn_json_fail(member, err, LIMN_E_FORMAT,
                              "expected the name of a file beside the index, is \"%.60s\"", name);
    char *path = folder_file_path(folder, name, err);
    if (!path) return LIMN_E_NOMEM;
    if (!is_open(files, path)) {
        if (access(path, F_OK) != 0)
            s = limn_json_fail(member, err, LIMN_E_FORMAT,
                               "is in %.60s, which is not in the folder: download all its parts",
                               name);
        else
            s = weight_files_add(files, list, path, err);
    }
    limn_free(path);
    return s;
}

/* Every tensor of the map must be in the part that it names. */
static limn_status check_member(const tensor_list *list, const limn_json_node *member,
                                limn_error *err)
{
    const char *name = json_string_value(member->value);
    const tensor_item *item = tensor_list_find_item(list, member->key);
    if (!item) return limn_json_fail(member, err, LIMN_E_FORMAT, "is not in %.60s", name);
    if (strcmp(limn_path_last(item->file), name) == 0) return LIMN_OK;
    return limn_json_fail(member, err, LIMN_E_FORMAT, "is in %.60s, expected it in %.60s",
                          limn_path_last(item->file), name);
}

static limn_status add_map(weight_files *files, tensor_list *list, const char *folder,
                           const limn_json_node *root, limn_error *err)
{
    limn_json_node map;
    const char *key;
    json_t *value;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(limn_json_object(&map, root, "weight_map", err));
    json_object_foreach((json_t *)map.value, key, value) /* jansson reads it only */
    {
        const limn_json_node member = { value, &map, key, 0 };
        LIMN_TRY(add_part(files, list, folder, &member, err));
    }
    LIMN_TRY(tensor_list_sort(list, err));
    json_object_foreach((json_t *)map.value, key, value)
    {
        const limn_json_node member = { value, &map, key, 0 };
        LIMN_TRY(check_member(list, &member, err));
    }
    return LIMN_OK;
}

limn_status weight_files_add_parts(weight_files *files, tensor_list *list, const char *folder,
                                   const char *index, limn_error *err)
{
    json_t *document;
    LIMN_TRY(folder_file_json(&document, folder, index, limn_json_parse, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status s = add_map(files, list, folder, &root, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s/%s", folder, index);
    json_decref(document);
    return s;
}

/* Writing: limn_safetensors_write of safetensors.h. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/safetensors.h"

#define DATA_ALIGNMENT 64 /* bytes, of the first tensor in the file */

/* The order in the file: wider dtypes first, so that each tensor is aligned to its elements. */
static int compare_for_file(const void *a, const void *b)
{
    const limn_tensor *const *x = a, *const *y = b;
    const size_t p = limn_tensor_dtype_size((*x)->dtype), q = limn_tensor_dtype_size((*y)->dtype);
    return p != q ? (p > q ? -1 : 1) : strcmp((*x)->name, (*y)->name);
}

static json_t *tensor_entry(const limn_tensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < t->n_dims; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", limn_tensor_dtype_name(t->dtype), "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)(begin + t->size));
}

/* Adds a member that must be new; takes over `value`. */
static limn_status add_member(json_t *object, const char *key, json_t *value, limn_error *err)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return limn_fail(err, LIMN_E_ARG, "two tensors or metadata items are named %s", key);
    }
    if (json_object_set_new(object, key, value) != 0)
        return limn_fail(err, LIMN_E_ARG, "%s: name or value is not UTF-8", key);
    return LIMN_OK;
}

static limn_status fill_header(json_t *header, const limn_tensor *const *tensors, size_t n_tensors,
                               const limn_metadata_item *metadata, size_t n_metadata,
                               limn_error *err)
{
    size_t begin = 0;
    json_t *strings = json_object(); /* borrowed from `header` once it is in there */
    LIMN_TRY(add_member(header, "__metadata__", strings, err));
    for (size_t i = 0; i < n_metadata; i++)
        LIMN_TRY(add_member(strings, metadata[i].key, json_string(metadata[i].value), err));
    for (size_t i = 0; i < n_tensors; i++) {
        LIMN_TRY(limn_tensor_check(tensors[i], err));
        LIMN_TRY(add_member(header, tensors[i]->name, tensor_entry(tensors[i], begin), err));
        if (!limn_size_add(&begin, begin, tensors[i]->size))
            return limn_fail(err, LIMN_E_ARG, "tensors have more bytes than a size can count");
    }
    return LIMN_OK;
}

/* The header's text, padded with spaces so that 8 + its length is a multiple of DATA_ALIGNMENT. */
static limn_status dump_header(char **out, size_t *size, const json_t *header, limn_error *err)
{
    const size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    const size_t padded = (8 + length + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT - 8;
    *out = length > 0 ? limn_alloc(padded, 1) : NULL;
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory for the header");
    memset(*out, ' ', padded);
    json_dumpb(header, *out, padded, JSON_COMPACT);
    *size = padded;
    return LIMN_OK;
}

/* The file's tensors in its order, and who makes the data of those that have none. */
typedef struct tensors_to_write {
    const limn_tensor **sorted; /* [n] */
    size_t n;
    limn_tensor_maker *make;
    void *ctx;
} tensors_to_write;

static limn_status write_tensor(limn_file_writer *w, const limn_tensor *t,
                                const tensors_to_write *all, limn_error *err)
{
    void *made = NULL;
    if (t->data || t->size == 0) return limn_file_writer_write(w, t->data, t->size, err);
    if (!all->make) return limn_fail(err, LIMN_E_ARG, "tensor %s has no data", t->name);
    limn_status s = all->make(&made, all->ctx, t, err);
    if (s == LIMN_OK) s = limn_file_writer_write(w, made, t->size, err);
    limn_free(made);
    return s;
}

static limn_status write_parts(limn_file_writer *w, const char *header, size_t header_size,
                               const tensors_to_write *all, limn_error *err)
{
    unsigned char length[8];
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (unsigned char)((uint64_t)header_size >> (8 * i));
    LIMN_TRY(limn_file_writer_write(w, length, sizeof length, err));
    LIMN_TRY(limn_file_writer_write(w, header, header_size, err));
    for (size_t i = 0; i < all->n; i++) LIMN_TRY(write_tensor(w, all->sorted[i], all, err));
    return LIMN_OK;
}

static limn_status write_file(const char *path, const char *header, size_t header_size,
                              const tensors_to_write *all, limn_error *err)
{
    limn_file_writer *w = NULL;
    LIMN_TRY(limn_file_writer_open(&w, path, err));
    limn_status s = write_parts(w, header, header_size, all, err);
    if (s == LIMN_OK) return limn_file_writer_commit(&w, err);
    limn_file_writer_discard(&w);
    return s;
}

limn_status limn_safetensors_write_made(const char *path, const limn_tensor *tensors,
                                        size_t n_tensors, const limn_metadata_item *metadata,
                                        size_t n_metadata, limn_tensor_maker *make, void *ctx,
                                        limn_error *err)
{
    tensors_to_write all = { limn_alloc(n_tensors, sizeof *all.sorted), n_tensors, make, ctx };
    json_t *header = json_object();
    char *text = NULL;
    size_t text_size = 0;
    limn_status s = all.sorted && header ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
    if (s != LIMN_OK) goto done;
    for (size_t i = 0; i < n_tensors; i++) all.sorted[i] = &tensors[i];
    qsort(all.sorted, n_tensors, sizeof *all.sorted, compare_for_file);
    s = fill_header(header, all.sorted, n_tensors, metadata, n_metadata, err);
    if (s == LIMN_OK) s = dump_header(&text, &text_size, header, err);
    if (s != LIMN_OK)
        limn_error_prefix(err, "%s", path);
    else
        s = write_file(path, text, text_size, &all, err);
done:
    limn_free(text);
    json_decref(header);
    limn_free(all.sorted);
    return s;
}

limn_status limn_safetensors_write(const char *path, const limn_tensor *tensors, size_t n_tensors,
                                   const limn_metadata_item *metadata, size_t n_metadata,
                                   limn_error *err)
{
    return limn_safetensors_write_made(path, tensors, n_tensors, metadata, n_metadata, NULL, NULL,
                                       err);
}

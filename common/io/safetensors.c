/* Reading: the header is parsed by jansson, then every field is checked before it is used. */
#include "common/io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define METADATA_KEY "__metadata__"

struct limn_safetensors {
    limn_file_bytes file;   /* zeroed when the bytes are the caller's, or pages */
    limn_file_parts *parts; /* where tensors are fetched from, if only the header was read */
    const unsigned char *bytes;
    size_t size;
    json_t *header;              /* owns all names and metadata */
    const json_t *metadata;      /* NULL when absent */
    limn_tensor *tensors;        /* [n_tensors], by offset */
    const limn_tensor **by_name; /* [n_tensors] */
    size_t n_tensors;
    bool is_read_once;
};

/* ---- header ------------------------------------------------------------------------------- */

static bool begins_with(const limn_safetensors *f, const char *prefix, size_t size)
{
    return f->size >= size && memcmp(f->bytes, prefix, size) == 0;
}

/* Files that users mistake for a model: says what they are. */
static limn_status refuse_known_others(const limn_safetensors *f, limn_error *err)
{
    static const char lfs[] = "version https://git-lfs.github.com/spec/";
    if (begins_with(f, lfs, sizeof lfs - 1))
        return limn_fail(err, LIMN_E_FORMAT,
                         "is a Git LFS pointer, not the file itself: fetch it "
                         "with `git lfs pull`");
    if (begins_with(f, "PK\3\4", 4))
        return limn_fail(err, LIMN_E_FORMAT,
                         "is a zip archive, maybe a PyTorch file: convert it "
                         "with limn-convert");
    if (begins_with(f, "\x80\x02\x8a\x0a", 4))
        return limn_fail(err, LIMN_E_FORMAT, "is a PyTorch file: convert it with limn-convert");
    return LIMN_OK;
}

/* The size of the JSON header, checked against the file and the limit. */
static limn_status header_size(size_t *out, const limn_safetensors *f, limn_error *err)
{
    uint64_t size = 0;
    if (f->size < 8)
        return limn_fail(err, LIMN_E_TRUNCATED, "has %zu bytes, a safetensors file at least 10",
                         f->size);
    for (int i = 7; i >= 0; i--) size = size << 8 | f->bytes[i];
    LIMN_TRY(refuse_known_others(f, err));
    if (size >= 2 && f->size > 8 && f->bytes[8] != '{')
        return limn_fail(err, LIMN_E_FORMAT, "is not a safetensors file (no '{' at byte 8)");
    if (size > LIMN_SAFETENSORS_MAX_HEADER)
        return limn_fail(err, LIMN_E_LIMIT, "header of %llu bytes exceeds the limit of %u",
                         (unsigned long long)size, LIMN_SAFETENSORS_MAX_HEADER);
    if (size > f->size - 8)
        return limn_fail(err, LIMN_E_TRUNCATED, "header of %llu bytes, but only %zu follow",
                         (unsigned long long)size, f->size - 8);
    *out = (size_t)size;
    return LIMN_OK;
}

static limn_status check_metadata(limn_safetensors *f, const limn_json_node *root, limn_error *err)
{
    limn_json_node metadata;
    const char *key;
    json_t *value;
    if (!limn_json_has(root, METADATA_KEY)) return LIMN_OK;
    LIMN_TRY(limn_json_object(&metadata, root, METADATA_KEY, err));
    json_object_foreach((json_t *)metadata.value, key, value)
    {
        const char *text;
        LIMN_TRY(limn_json_string(&text, &metadata, key, err));
    }
    f->metadata = metadata.value;
    return LIMN_OK;
}

/* ---- tensors ------------------------------------------------------------------------------ */

static limn_status read_dtype(limn_tensor *t, const limn_json_node *entry, limn_error *err)
{
    limn_json_node dtype;
    const char *name;
    LIMN_TRY(limn_json_get(&dtype, entry, "dtype", err));
    LIMN_TRY(limn_json_as_string(&name, &dtype, err));
    if (!limn_tensor_dtype_parse(&t->dtype, name))
        return limn_json_fail(&dtype, err, LIMN_E_UNSUPPORTED, "\"%.40s\" is not supported", name);
    return LIMN_OK;
}

static limn_status read_shape(limn_tensor *t, const limn_json_node *entry, limn_error *err)
{
    limn_json_node shape;
    LIMN_TRY(limn_json_array(&shape, &t->n_dims, entry, "shape", err));
    if (t->n_dims > LIMN_TENSOR_MAX_DIMS)
        return limn_json_fail(&shape, err, LIMN_E_LIMIT, "has %zu dimensions, the limit is %d",
                              t->n_dims, LIMN_TENSOR_MAX_DIMS);
    for (size_t i = 0; i < t->n_dims; i++) {
        limn_json_node item = limn_json_at(&shape, i);
        int64_t n = 0;
        LIMN_TRY(limn_json_as_integer(&n, &item, 0, INT64_MAX, err));
        t->shape[i] = (size_t)n;
    }
    if (!limn_tensor_byte_size(&t->size, t->dtype, t->n_dims, t->shape))
        return limn_json_fail(&shape, err, LIMN_E_FORMAT, "more bytes than memory has addresses");
    return LIMN_OK;
}

/* data_offsets [begin, end] into the data_size bytes at `data`. */
static limn_status read_offsets(limn_tensor *t, const limn_json_node *entry,
                                const unsigned char *data, size_t data_size, limn_error *err)
{
    limn_json_node offsets, items[2];
    size_t n_items;
    int64_t value[2] = { 0, 0 };
    LIMN_TRY(limn_json_array(&offsets, &n_items, entry, "data_offsets", err));
    if (n_items != 2)
        return limn_json_fail(&offsets, err, LIMN_E_FORMAT, "expected two offsets, has %zu",
                              n_items);
    for (size_t i = 0; i < 2; i++) {
        items[i] = limn_json_at(&offsets, i);
        LIMN_TRY(limn_json_as_integer(&value[i], &items[i], 0, INT64_MAX, err));
    }
    const uint64_t begin = (uint64_t)value[0], end = (uint64_t)value[1];
    if (end < begin)
        return limn_json_fail(&offsets, err, LIMN_E_FORMAT, "%llu … %llu runs backwards",
                              (unsigned long long)begin, (unsigned long long)end);
    if (end > data_size)
        return limn_json_fail(&offsets, err, LIMN_E_TRUNCATED,
                              "ends at byte %llu of the data, the file has %zu",
                              (unsigned long long)end, data_size);
    if (end - begin != t->size)
        return limn_json_fail(&offsets, err, LIMN_E_FORMAT,
                              "%llu … %llu is %llu bytes, dtype and shape make %zu",
                              (unsigned long long)begin, (unsigned long long)end,
                              (unsigned long long)(end - begin), t->size);
    t->data = data + begin;
    return LIMN_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const limn_tensor *x = a, *y = b;
    const uintptr_t p = (uintptr_t)x->data, q = (uintptr_t)y->data;
    if (p != q) return p < q ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
    const limn_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void sort_by_name(limn_safetensors *f)
{
    for (size_t i = 0; i < f->n_tensors; i++) f->by_name[i] = &f->tensors[i];
    qsort(f->by_name, f->n_tensors, sizeof *f->by_name, compare_names);
}

/* The tensors, sorted by offset, must cover the data without holes or overlaps. */
static limn_status check_tiling(const limn_safetensors *f, const unsigned char *data,
                                size_t data_size, limn_error *err)
{
    size_t end = 0;
    for (size_t i = 0; i < f->n_tensors; i++) {
        const limn_tensor *t = &f->tensors[i];
        const size_t begin = (size_t)((const unsigned char *)t->data - data);
        if (begin != end)
            return limn_fail(err, LIMN_E_FORMAT,
                             "%.200s: begins at byte %zu of the data, the "
                             "tensor before it ends at %zu (%s)",
                             t->name, begin, end, begin < end ? "overlap" : "hole");
        end = begin + t->size;
    }
    if (end != data_size)
        return limn_fail(err, LIMN_E_FORMAT, "%zu bytes after the last tensor", data_size - end);
    return LIMN_OK;
}

static limn_status read_tensors(limn_safetensors *f, const limn_json_node *root,
                                const unsigned char *data, size_t data_size, limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root->value, key, value)
    {
        limn_tensor *t = &f->tensors[f->n_tensors];
        limn_json_node entry;
        if (strcmp(key, METADATA_KEY) == 0) continue;
        LIMN_TRY(limn_json_object(&entry, root, key, err));
        LIMN_TRY(read_dtype(t, &entry, err));
        LIMN_TRY(read_shape(t, &entry, err));
        LIMN_TRY(read_offsets(t, &entry, data, data_size, err));
        t->name = key;
        f->n_tensors++;
    }
    qsort(f->tensors, f->n_tensors, sizeof *f->tensors, compare_offsets);
    sort_by_name(f);
    return check_tiling(f, data, data_size, err);
}

/* ---- opening ------------------------------------------------------------------------------ */

static limn_status take_list(limn_safetensors *f, size_t n_tensors, limn_error *err)
{
    f->tensors = limn_calloc(n_tensors, sizeof *f->tensors);
    f->by_name = limn_calloc(n_tensors, sizeof *f->by_name);
    if (!f->tensors || !f->by_name)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", n_tensors);
    return LIMN_OK;
}

/* Bytes that only a part of has been read so far. */
static limn_status read_part(const limn_safetensors *f, const void *at, size_t size,
                             limn_error *err)
{
    const size_t offset = (size_t)((const unsigned char *)at - f->bytes);
    return limn_file_parts_read((void *)at, f->parts, offset, size, err); /* our own pages */
}

static limn_status parse(limn_safetensors *f, limn_error *err)
{
    size_t size = 0;
    LIMN_TRY(header_size(&size, f, err));
    if (f->parts) LIMN_TRY(read_part(f, f->bytes, 8 + size, err));
    LIMN_TRY(limn_json_parse(&f->header, f->bytes + 8, size, err));
    const limn_json_node root = limn_json_root(f->header);
    LIMN_TRY(limn_json_as_object(&root, err));
    LIMN_TRY(check_metadata(f, &root, err));
    const size_t n_entries = json_object_size(f->header);
    if (n_entries > LIMN_SAFETENSORS_MAX_TENSORS)
        return limn_fail(err, LIMN_E_LIMIT, "%zu tensors, the limit is %d", n_entries,
                         LIMN_SAFETENSORS_MAX_TENSORS);
    LIMN_TRY(take_list(f, n_entries, err));
    return read_tensors(f, &root, f->bytes + 8 + size, f->size - 8 - size, err);
}

/* Takes over what was read. */
static limn_status open_bytes(limn_safetensors **out, limn_file_bytes file, const void *bytes,
                              size_t size, limn_error *err)
{
    limn_safetensors *f = limn_calloc(1, sizeof *f);
    if (!f) {
        limn_file_bytes_free(&file);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    f->file = file;
    f->bytes = bytes;
    f->size = size;
    limn_status s = parse(f, err);
    if (s != LIMN_OK) limn_safetensors_close(&f);
    *out = f;
    return s;
}

limn_status limn_safetensors_open(limn_safetensors **out, const char *path, limn_error *err)
{
    limn_file_bytes file;
    *out = NULL;
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    limn_status s = open_bytes(out, file, file.bytes, file.size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

/* Reads the start of the file, by which files of other kinds are known, then its header. The rest
 * has addresses and no memory until it is fetched. */
static limn_status open_parts(limn_safetensors *f, const char *path, limn_error *err)
{
    enum { START = 64 };
    LIMN_TRY(limn_file_parts_open(&f->parts, path, err));
    f->size = limn_file_parts_size(f->parts);
    f->bytes = limn_reserve_pages(f->size);
    f->is_read_once = true;
    if (!f->bytes) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    limn_status s = read_part(f, f->bytes, f->size < START ? f->size : START, err);
    if (s == LIMN_OK) s = parse(f, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

limn_status limn_safetensors_open_header(limn_safetensors **out, const char *path, limn_error *err)
{
    *out = limn_calloc(1, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "%s: out of memory", path);
    const limn_status s = open_parts(*out, path, err);
    if (s != LIMN_OK) limn_safetensors_close(out);
    return s;
}

bool limn_safetensors_is_header(const limn_safetensors *f)
{
    return f->parts != NULL;
}

limn_status limn_safetensors_fetch(const limn_safetensors *f, const limn_tensor *t, limn_error *err)
{
    return f->parts ? read_part(f, t->data, t->size, err) : LIMN_OK;
}

limn_status limn_safetensors_open_memory(limn_safetensors **out, const void *bytes, size_t size,
                                         limn_error *err)
{
    *out = NULL;
    return open_bytes(out, (limn_file_bytes){ NULL, 0 }, bytes, size, err);
}

static limn_status copy_list(limn_safetensors *f, const limn_tensor *tensors, size_t n_tensors,
                             limn_error *err)
{
    LIMN_TRY(take_list(f, n_tensors, err));
    for (size_t i = 0; i < n_tensors; i++) {
        LIMN_TRY(limn_tensor_check(&tensors[i], err));
        f->tensors[f->n_tensors++] = tensors[i];
    }
    sort_by_name(f);
    for (size_t i = 1; i < n_tensors; i++)
        if (strcmp(f->by_name[i - 1]->name, f->by_name[i]->name) == 0)
            return limn_fail(err, LIMN_E_ARG, "two tensors are named %.200s", f->by_name[i]->name);
    return LIMN_OK;
}

limn_status limn_safetensors_from_tensors(limn_safetensors **out, const limn_tensor *tensors,
                                          size_t n_tensors, limn_error *err)
{
    *out = limn_calloc(1, sizeof **out);
    if (!*out) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    const limn_status status = copy_list(*out, tensors, n_tensors, err);
    if (status != LIMN_OK) limn_safetensors_close(out);
    return status;
}

void limn_safetensors_read_once(limn_safetensors *f)
{
    f->is_read_once = f->file.bytes != NULL;
}

void limn_safetensors_release(const limn_safetensors *f, const limn_tensor *t)
{
    if (f->is_read_once) limn_discard_pages((void *)t->data, t->size); /* our own */
}

void limn_safetensors_close(limn_safetensors **f)
{
    if (!f || !*f) return;
    limn_free((*f)->tensors);
    limn_free((*f)->by_name);
    json_decref((*f)->header);
    limn_file_bytes_free(&(*f)->file);
    if ((*f)->parts) limn_free_pages((void *)(*f)->bytes, (*f)->size); /* our own */
    limn_file_parts_close(&(*f)->parts);
    limn_free(*f);
    *f = NULL;
}

/* ---- looking up --------------------------------------------------------------------------- */

size_t limn_safetensors_n_tensors(const limn_safetensors *f)
{
    return f->n_tensors;
}

const limn_tensor *limn_safetensors_at(const limn_safetensors *f, size_t index)
{
    return index < f->n_tensors ? &f->tensors[index] : NULL;
}

const limn_tensor *limn_safetensors_find(const limn_safetensors *f, const char *name)
{
    const limn_tensor wanted = { .name = name }, *key = &wanted;
    const limn_tensor **found =
        bsearch(&key, f->by_name, f->n_tensors, sizeof *f->by_name, compare_names);
    return found ? *found : NULL;
}

const char *limn_safetensors_metadata(const limn_safetensors *f, const char *key)
{
    return json_string_value(json_object_get(f->metadata, key));
}

size_t limn_safetensors_list_metadata(limn_metadata_item *items, size_t capacity,
                                      const limn_safetensors *f)
{
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)f->metadata, key, value)
    {
        if (n < capacity) items[n] = (limn_metadata_item){ key, json_string_value(value) };
        n++;
    }
    return n;
}

uint64_t limn_safetensors_checksum(const limn_safetensors *f)
{
    return limn_fnv1a64(LIMN_FNV1A64_INIT, f->bytes, f->size);
}

limn_status limn_safetensors_require(const limn_tensor **out, const limn_safetensors *f,
                                     const char *name, size_t n_dims, const size_t *shape,
                                     limn_error *err)
{
    char is[160], expected[160];
    const limn_tensor *t = limn_safetensors_find(f, name);
    limn_tensor_describe(expected, sizeof expected, LIMN_TENSOR_F32, n_dims, shape);
    if (!t)
        return limn_fail(err, LIMN_E_FORMAT, "tensor %.200s is missing, expected %s or F16", name,
                         expected);
    const bool is_float = t->dtype == LIMN_TENSOR_F32 || t->dtype == LIMN_TENSOR_F16;
    if (is_float && t->n_dims == n_dims &&
        (n_dims == 0 || memcmp(t->shape, shape, n_dims * sizeof *shape) == 0)) {
        *out = t;
        return LIMN_OK;
    }
    limn_tensor_describe(is, sizeof is, t->dtype, t->n_dims, t->shape);
    return limn_fail(err, LIMN_E_FORMAT, "tensor %.200s is %s, expected %s or F16", name, is,
                     expected);
}

#include "common/io/pth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/pickle.h"
#include "common/io/zip_members.h"

#define MAX_DEPTH 8         /* of dictionaries in dictionaries */
#define MAX_ENTRIES 1000000 /* of all dictionaries together, as often as they are reached */
#define MAX_NAME 256        /* bytes with its NUL */

/* The bytes of one storage. */
typedef struct storage {
    const char *key; /* [key_size] */
    size_t key_size;
    const unsigned char *bytes; /* [size] */
    size_t size;
} storage;

struct limn_pth {
    limn_file_bytes file; /* zeroed when the bytes are the caller's */
    const unsigned char *bytes;
    size_t size;
    limn_zip_members members; /* zip container only */
    storage *storages;        /* [n_storages] legacy container only, sorted by key */
    size_t n_storages;
    limn_tensor *tensors; /* [n_tensors]; names are owned */
    size_t n_tensors, tensors_capacity;
    void **copies; /* [n_tensors]; data of tensors that are not dense in the file, or NULL */
    size_t copied; /* bytes of all copies */
    size_t n_entries;
};

/* Both pickles that a legacy file begins with: the magic number, then the protocol 1001. */
static const unsigned char legacy_magic[] = {
    0x80, 2,    0x8a, 10,  0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a,
    0xa8, 0x50, 0x19, '.', 0x80, 2,    'M',  0xe9, 0x03, '.',
};

static bool is_legacy(const void *bytes, size_t size)
{
    return size >= sizeof legacy_magic && memcmp(bytes, legacy_magic, sizeof legacy_magic) == 0;
}

bool limn_pth_is(const void *bytes, size_t size)
{
    return is_legacy(bytes, size) || (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0);
}

limn_status limn_pth_probe(bool *out, const char *path, limn_error *err)
{
    unsigned char bytes[sizeof legacy_magic];
    size_t n = 0;
    LIMN_TRY(limn_file_head(bytes, &n, sizeof bytes, path, err));
    *out = limn_pth_is(bytes, n);
    return LIMN_OK;
}

/* ---- storages ----------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const storage *x = a, *y = b;
    const size_t shorter = x->key_size < y->key_size ? x->key_size : y->key_size;
    const int order = memcmp(x->key, y->key, shorter);
    return order ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

/* "ROOT/data/KEY" of the member "ROOT/data.pkl" */
static const limn_zip_member *find_member(const limn_pth *f, const char *pickle_name,
                                          const limn_pickle_value *key)
{
    char name[1024];
    const size_t root = strlen(pickle_name) - strlen("data.pkl");
    const int n = snprintf(name, sizeof name, "%.*sdata/%.*s", (int)root, pickle_name,
                           (int)key->as.text.size, key->as.text.bytes);
    return n > 0 && (size_t)n < sizeof name ? limn_zip_members_find(&f->members, name) : NULL;
}

/* The bytes of a storage, which must be as many as the pickle says. */
static limn_status find_storage(storage *out, const limn_pth *f, const char *pickle_name,
                                const limn_pickle_value *wanted, limn_error *err)
{
    const limn_pickle_value *key = wanted->as.storage.key;
    const int key_length = (int)(key->as.text.size < 40 ? key->as.text.size : 40);
    size_t size;
    *out = (storage){ key->as.text.bytes, key->as.text.size, NULL, 0 };
    if (pickle_name) {
        const limn_zip_member *m = find_member(f, pickle_name, key);
        if (m) {
            out->bytes = m->bytes;
            out->size = m->size;
        }
    } else if (f->n_storages > 0) {
        const storage *s =
            bsearch(out, f->storages, f->n_storages, sizeof *f->storages, compare_keys);
        if (s) *out = *s;
    }
    if (!out->bytes)
        return limn_fail(err, LIMN_E_FORMAT, "storage %.*s is missing", key_length,
                         key->as.text.bytes);
    if (!limn_size_mul(&size, wanted->as.storage.n_elements,
                       limn_tensor_dtype_size(wanted->as.storage.dtype)) ||
        size != out->size)
        return limn_fail(err, LIMN_E_FORMAT, "storage %.*s has %zu bytes, not those of %zu %s",
                         key_length, key->as.text.bytes, out->size, wanted->as.storage.n_elements,
                         limn_tensor_dtype_name(wanted->as.storage.dtype));
    return LIMN_OK;
}

/* ---- tensors ------------------------------------------------------------------------------ */

/* Shape and strides of a tensor, in elements. */
typedef struct layout {
    size_t n_dims, shape[LIMN_TENSOR_MAX_DIMS], strides[LIMN_TENSOR_MAX_DIMS];
    size_t n_elements;
    bool is_dense; /* row-major without gaps */
} layout;

static limn_status read_layout(layout *l, const limn_pickle_value *tensor, const char *name,
                               limn_error *err)
{
    const limn_pickle_value *shape = tensor->as.tensor.shape, *strides = tensor->as.tensor.strides;
    l->n_dims = shape->as.list.n_items;
    if (l->n_dims > LIMN_TENSOR_MAX_DIMS)
        return limn_fail(err, LIMN_E_LIMIT, "%s: %zu dimensions, the limit is %d", name, l->n_dims,
                         LIMN_TENSOR_MAX_DIMS);
    l->n_elements = 1;
    l->is_dense = true;
    for (size_t i = l->n_dims; i-- > 0;) {
        l->shape[i] = (size_t)shape->as.list.items[i]->as.integer;
        l->strides[i] = (size_t)strides->as.list.items[i]->as.integer;
        if (l->shape[i] != 1 && l->strides[i] != l->n_elements) l->is_dense = false;
        if (!limn_size_mul(&l->n_elements, l->n_elements, l->shape[i]))
            return limn_fail(err, LIMN_E_FORMAT, "%s: more elements than memory has addresses",
                             name);
    }
    return LIMN_OK;
}

/* Every element must lie in the storage, and there can't be more of them than it has. */
static limn_status check_bounds(const layout *l, const limn_pickle_value *tensor, const char *name,
                                limn_error *err)
{
    const size_t n_storage = tensor->as.tensor.storage->as.storage.n_elements;
    size_t last = tensor->as.tensor.offset;
    for (size_t i = 0; i < l->n_dims && l->n_elements > 0; i++) {
        size_t step;
        if (!limn_size_mul(&step, l->shape[i] - 1, l->strides[i]) ||
            !limn_size_add(&last, last, step))
            return limn_fail(err, LIMN_E_FORMAT, "%s: strides beyond its storage", name);
    }
    if (last > n_storage || (l->n_elements > 0 && last == n_storage))
        return limn_fail(err, LIMN_E_FORMAT, "%s: reaches element %zu of a storage of %zu", name,
                         last, n_storage);
    if (l->n_elements > n_storage)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "%s: %zu elements expanded from %zu", name,
                         l->n_elements, n_storage);
    return LIMN_OK;
}

/* Copies the elements of a strided tensor in row-major order. */
static void gather(unsigned char *out, const unsigned char *first, const layout *l,
                   size_t element_size)
{
    size_t index[LIMN_TENSOR_MAX_DIMS] = { 0 };
    for (size_t n = 0; n < l->n_elements; n++) {
        size_t at = 0;
        for (size_t d = 0; d < l->n_dims; d++) at += index[d] * l->strides[d];
        memcpy(out + n * element_size, first + at * element_size, element_size);
        for (size_t d = l->n_dims; d-- > 0;) {
            if (++index[d] < l->shape[d]) break;
            index[d] = 0;
        }
    }
}

static limn_status fill_tensor(limn_tensor *t, void **copy, limn_pth *f, const layout *l,
                               const limn_pickle_value *tensor, const storage *s, limn_error *err)
{
    const size_t element_size = limn_tensor_dtype_size(t->dtype);
    const unsigned char *first = s->bytes + tensor->as.tensor.offset * element_size;
    t->n_dims = l->n_dims;
    memcpy(t->shape, l->shape, l->n_dims * sizeof *l->shape);
    t->size = l->n_elements * element_size; /* no more than the storage has */
    t->data = first;
    if (l->is_dense || t->size == 0) return LIMN_OK;
    f->copied += t->size; /* at most one storage more than the bound, so no overflow */
    if (f->copied / 2 > f->size)
        return limn_fail(err, LIMN_E_LIMIT, "%s: strided tensors take more than twice the file",
                         t->name);
    *copy = limn_alloc(t->size, 1);
    if (!*copy) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", t->name);
    gather(*copy, first, l, element_size);
    t->data = *copy;
    return LIMN_OK;
}

/* Room for one more tensor, zeroed. */
static limn_status grow(limn_pth *f, limn_error *err)
{
    if (f->n_tensors == LIMN_PTH_MAX_TENSORS)
        return limn_fail(err, LIMN_E_LIMIT, "more than %d tensors", LIMN_PTH_MAX_TENSORS);
    if (f->n_tensors == f->tensors_capacity) {
        const size_t capacity = f->tensors_capacity ? 2 * f->tensors_capacity : 256;
        limn_tensor *tensors = limn_realloc(f->tensors, capacity, sizeof *tensors);
        if (tensors) f->tensors = tensors;
        void **copies = limn_realloc(f->copies, capacity, sizeof *copies);
        if (copies) f->copies = copies;
        if (!tensors || !copies)
            return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", capacity);
        f->tensors_capacity = capacity;
    }
    f->tensors[f->n_tensors] = (limn_tensor){ 0 };
    f->copies[f->n_tensors] = NULL;
    f->n_tensors++;
    return LIMN_OK;
}

static limn_status add_tensor(limn_pth *f, const char *pickle_name, const char *name,
                              const limn_pickle_value *tensor, limn_error *err)
{
    layout l;
    storage s;
    LIMN_TRY(read_layout(&l, tensor, name, err));
    LIMN_TRY(check_bounds(&l, tensor, name, err));
    LIMN_TRY(find_storage(&s, f, pickle_name, tensor->as.tensor.storage, err));
    LIMN_TRY(grow(f, err));
    limn_tensor *t = &f->tensors[f->n_tensors - 1];
    t->name = limn_strdup(name);
    if (!t->name) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %s", name);
    t->dtype = tensor->as.tensor.storage->as.storage.dtype;
    return fill_tensor(t, &f->copies[f->n_tensors - 1], f, &l, tensor, &s, err);
}

/* ---- dictionaries ------------------------------------------------------------------------- */

/* "prefix.key", or "key" at the top. */
static limn_status join_name(char out[MAX_NAME], const char *prefix, const limn_pickle_value *key,
                             limn_error *err)
{
    const size_t size = key->as.text.size;
    if (memchr(key->as.text.bytes, '\0', size))
        return limn_fail(err, LIMN_E_FORMAT, "a name with a NUL in %s", prefix);
    const int n = snprintf(out, MAX_NAME, "%s%s%.*s", prefix, prefix[0] ? "." : "",
                           (int)(size < MAX_NAME ? size : MAX_NAME), key->as.text.bytes);
    if (n < 0 || n >= MAX_NAME)
        return limn_fail(err, LIMN_E_LIMIT, "a name longer than %d bytes: %.40s…", MAX_NAME - 1,
                         out);
    return LIMN_OK;
}

static limn_status add_entries(limn_pth *f, const char *pickle_name, const char *prefix,
                               const limn_pickle_value *dict, size_t depth, limn_error *err)
{
    char name[MAX_NAME];
    for (size_t i = 0; i + 1 < dict->as.list.n_items; i += 2) {
        const limn_pickle_value *key = dict->as.list.items[i], *value = dict->as.list.items[i + 1];
        if (++f->n_entries > MAX_ENTRIES)
            return limn_fail(err, LIMN_E_LIMIT, "more than %d entries", MAX_ENTRIES);
        if (key->kind != LIMN_PICKLE_TEXT ||
            (value->kind != LIMN_PICKLE_TENSOR && value->kind != LIMN_PICKLE_DICT))
            continue;
        LIMN_TRY(join_name(name, prefix, key, err));
        if (value->kind == LIMN_PICKLE_TENSOR)
            LIMN_TRY(add_tensor(f, pickle_name, name, value, err));
        else if (depth == MAX_DEPTH)
            return limn_fail(err, LIMN_E_LIMIT, "%s: dictionaries nested deeper than %d", name,
                             MAX_DEPTH);
        else
            LIMN_TRY(add_entries(f, pickle_name, name, value, depth + 1, err));
    }
    return LIMN_OK;
}

static limn_status add_root(limn_pth *f, const char *pickle_name, const limn_pickle_value *root,
                            limn_error *err)
{
    if (root->kind != LIMN_PICKLE_DICT)
        return limn_fail(err, LIMN_E_UNSUPPORTED,
                         "holds no dictionary of tensors: save the "
                         "state_dict() alone");
    return add_entries(f, pickle_name, "", root, 1, err);
}

/* ---- the two containers ------------------------------------------------------------------- */

static const limn_zip_member *find_pickle(const limn_pth *f)
{
    for (size_t i = 0; i < f->members.n_items; i++) {
        const char *name = f->members.items[i].name, *slash = strchr(name, '/');
        if (slash && strcmp(slash, "/data.pkl") == 0) return &f->members.items[i];
    }
    return NULL;
}

static limn_status check_byte_order(const limn_pth *f, const char *pickle_name, limn_error *err)
{
    char name[1024];
    snprintf(name, sizeof name, "%.*sbyteorder", (int)(strlen(pickle_name) - strlen("data.pkl")),
             pickle_name);
    const limn_zip_member *m = limn_zip_members_find(&f->members, name);
    if (m && (m->size != 6 || memcmp(m->bytes, "little", 6) != 0))
        return limn_fail(err, LIMN_E_UNSUPPORTED, "its numbers are not little-endian");
    return LIMN_OK;
}

static limn_status read_zip(limn_pth *f, limn_error *err)
{
    limn_pickle *pickle = NULL;
    const limn_pickle_value *root;
    size_t n_read;
    LIMN_TRY(limn_zip_members_read(&f->members, f->bytes, f->size, err));
    const limn_zip_member *m = find_pickle(f);
    if (!m)
        return limn_fail(err, LIMN_E_FORMAT,
                         "is a zip archive, but not a PyTorch file (no data.pkl)");
    LIMN_TRY(check_byte_order(f, m->name, err));
    LIMN_TRY(limn_pickle_read(&pickle, &root, &n_read, m->bytes, m->size, err));
    limn_status s = add_root(f, m->name, root, err);
    limn_pickle_free(&pickle);
    return s;
}

/* A legacy file says how many elements each storage has; of what type, the pickle said. */
static int compare_storage_values(const void *a, const void *b)
{
    const limn_pickle_value *const *x = a, *const *y = b;
    const storage p = { (*x)->as.storage.key->as.text.bytes, (*x)->as.storage.key->as.text.size,
                        NULL, 0 };
    const storage q = { (*y)->as.storage.key->as.text.bytes, (*y)->as.storage.key->as.text.size,
                        NULL, 0 };
    return compare_keys(&p, &q);
}

/* The storage at *at: its number of elements (8 bytes), then the elements. */
static limn_status read_storage(storage *out, const limn_pth *f, size_t *at,
                                const limn_pickle_value *key,
                                const limn_pickle_value *const *values, size_t n_values,
                                limn_error *err)
{
    const limn_pickle_value wanted = { .kind = LIMN_PICKLE_STORAGE, .as.storage.key = key };
    const limn_pickle_value *address = &wanted;
    const limn_pickle_value *const *found =
        n_values ? bsearch(&address, values, n_values, sizeof *values, compare_storage_values)
                 : NULL;
    uint64_t n_elements = 0;
    size_t size;
    if (!found) return limn_fail(err, LIMN_E_FORMAT, "a storage that no tensor has");
    if (f->size - *at < 8) return limn_fail(err, LIMN_E_TRUNCATED, "ends before its storages do");
    for (size_t i = 8; i-- > 0;) n_elements = n_elements << 8 | f->bytes[*at + i];
    *at += 8;
    if (n_elements > SIZE_MAX ||
        !limn_size_mul(&size, (size_t)n_elements,
                       limn_tensor_dtype_size((*found)->as.storage.dtype)) ||
        size > f->size - *at)
        return limn_fail(err, LIMN_E_TRUNCATED, "a storage of %llu elements, %zu bytes follow",
                         (unsigned long long)n_elements, f->size - *at);
    *out = (storage){ key->as.text.bytes, key->as.text.size, f->bytes + *at, size };
    *at += size;
    return LIMN_OK;
}

/* All storages, from *at to the end of the file, in the order of `keys`. */
static limn_status read_storages(limn_pth *f, size_t at, const limn_pickle_value *keys,
                                 const limn_pickle_value *const *values, size_t n_values,
                                 limn_error *err)
{
    if (keys->kind != LIMN_PICKLE_LIST)
        return limn_fail(err, LIMN_E_FORMAT, "has no list of its storages");
    f->storages = limn_calloc(keys->as.list.n_items, sizeof *f->storages);
    if (!f->storages) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    for (size_t i = 0; i < keys->as.list.n_items; i++) {
        const limn_pickle_value *key = keys->as.list.items[i];
        if (key->kind != LIMN_PICKLE_TEXT)
            return limn_fail(err, LIMN_E_FORMAT, "a storage whose key is no text");
        LIMN_TRY(read_storage(&f->storages[i], f, &at, key, values, n_values, err));
        f->n_storages++;
    }
    qsort(f->storages, f->n_storages, sizeof *f->storages, compare_keys);
    if (at != f->size)
        return limn_fail(err, LIMN_E_FORMAT, "%zu bytes after the last storage", f->size - at);
    return LIMN_OK;
}

/* The pickle of the state dict at `at`, the pickle of the storages' keys, the storages. */
static limn_status read_dict_and_storages(limn_pth *f, size_t at, limn_error *err)
{
    limn_pickle *dict = NULL, *list = NULL;
    const limn_pickle_value *root, *keys, **values = NULL;
    size_t n_read = 0, n_values = 0;
    limn_status s = limn_pickle_read(&dict, &root, &n_read, f->bytes + at, f->size - at, err);
    if (s != LIMN_OK) return s;
    at += n_read;
    s = limn_pickle_read(&list, &keys, &n_read, f->bytes + at, f->size - at, err);
    if (s != LIMN_OK) goto done;
    const limn_pickle_value *const *named = limn_pickle_storages(dict, &n_values);
    values = limn_alloc(n_values, sizeof *values);
    if (!values) {
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory");
        goto done;
    }
    for (size_t i = 0; i < n_values; i++) values[i] = named[i];
    qsort(values, n_values, sizeof *values, compare_storage_values);
    s = read_storages(f, at + n_read, keys, values, n_values, err);
    if (s == LIMN_OK) s = add_root(f, NULL, root, err);
done:
    limn_free(values);
    limn_pickle_free(&list);
    limn_pickle_free(&dict);
    return s;
}

/* After the magic numbers comes a pickle on the machine that wrote the file. */
static limn_status read_legacy(limn_pth *f, limn_error *err)
{
    const size_t at = sizeof legacy_magic;
    limn_pickle *pickle = NULL;
    const limn_pickle_value *system;
    size_t n_read = 0;
    LIMN_TRY(limn_pickle_read(&pickle, &system, &n_read, f->bytes + at, f->size - at, err));
    bool is_little_endian = false;
    if (system->kind == LIMN_PICKLE_DICT)
        for (size_t i = 0; i + 1 < system->as.list.n_items; i += 2)
            if (limn_pickle_text_is(system->as.list.items[i], "little_endian"))
                is_little_endian = system->as.list.items[i + 1]->kind == LIMN_PICKLE_BOOL &&
                                   system->as.list.items[i + 1]->as.integer;
    limn_pickle_free(&pickle);
    if (!is_little_endian)
        return limn_fail(err, LIMN_E_UNSUPPORTED, "its numbers are not little-endian");
    return read_dict_and_storages(f, at + n_read, err);
}

static limn_status parse(limn_pth *f, limn_error *err)
{
    if (is_legacy(f->bytes, f->size)) return read_legacy(f, err);
    if (limn_pth_is(f->bytes, f->size)) return read_zip(f, err);
    return limn_fail(err, LIMN_E_FORMAT, "is not a PyTorch file");
}

/* ---- opening ------------------------------------------------------------------------------ */

/* Takes over what was read. */
static limn_status open_bytes(limn_pth **out, limn_file_bytes file, const void *bytes, size_t size,
                              limn_error *err)
{
    limn_pth *f = limn_calloc(1, sizeof *f);
    if (!f) {
        limn_file_bytes_free(&file);
        return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    }
    f->file = file;
    f->bytes = bytes;
    f->size = size;
    limn_status s = parse(f, err);
    if (s != LIMN_OK) limn_pth_close(&f);
    *out = f;
    return s;
}

limn_status limn_pth_open(limn_pth **out, const char *path, limn_error *err)
{
    limn_file_bytes file;
    *out = NULL;
    LIMN_TRY(limn_file_bytes_read(&file, path, SIZE_MAX, err));
    limn_status s = open_bytes(out, file, file.bytes, file.size, err);
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    return s;
}

limn_status limn_pth_open_memory(limn_pth **out, const void *bytes, size_t size, limn_error *err)
{
    *out = NULL;
    return open_bytes(out, (limn_file_bytes){ NULL, 0 }, bytes, size, err);
}

void limn_pth_close(limn_pth **f)
{
    if (!f || !*f) return;
    for (size_t i = 0; i < (*f)->n_tensors; i++) {
        limn_free((char *)(*f)->tensors[i].name);
        limn_free((*f)->copies[i]);
    }
    limn_free((*f)->tensors);
    limn_free((*f)->copies);
    limn_free((*f)->storages);
    limn_zip_members_finish(&(*f)->members);
    limn_file_bytes_free(&(*f)->file);
    limn_free(*f);
    *f = NULL;
}

size_t limn_pth_n_tensors(const limn_pth *f)
{
    return f->n_tensors;
}

const limn_tensor *limn_pth_at(const limn_pth *f, size_t index)
{
    return index < f->n_tensors ? &f->tensors[index] : NULL;
}

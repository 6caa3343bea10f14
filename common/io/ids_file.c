#include "common/io/ids_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_SIZE ((size_t)1 << 30) /* bytes of the file */

static limn_status read_ids(limn_ids_record *r, const limn_json_node *root, limn_error *err)
{
    limn_json_node array;
    LIMN_TRY(limn_json_array(&array, &r->n_ids, root, "ids", err));
    r->ids = limn_alloc(r->n_ids, sizeof *r->ids);
    if (!r->ids) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu ids", r->n_ids);
    for (size_t i = 0; i < r->n_ids; i++) {
        const limn_json_node item = limn_json_at(&array, i);
        int64_t id;
        LIMN_TRY(limn_json_as_integer(&id, &item, 0, UINT32_MAX - 1, err));
        r->ids[i] = (uint32_t)id;
    }
    return LIMN_OK;
}

static limn_status read_record(limn_ids_record *r, const limn_json_node *root, const char *folder,
                               limn_error *err)
{
    limn_buffer path = { 0 };
    const char *name;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(limn_json_string(&name, root, "file", err));
    LIMN_TRY(read_ids(r, root, err));
    r->name = limn_strdup(name);
    limn_buffer_printf(&path, "%s/%s", folder, name);
    if (!path.has_failed) r->path = limn_strdup(path.bytes);
    limn_buffer_finish(&path);
    return r->name && r->path ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory");
}

static limn_status add_line(limn_ids_file *f, const char *line, size_t size, size_t number,
                            const char *folder, limn_error *err)
{
    json_t *document;
    if (!limn_grow((void **)&f->records, &f->capacity, f->n_records + 1, sizeof *f->records))
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu lines", number);
    limn_ids_record *r = &f->records[f->n_records++];
    *r = (limn_ids_record){ .number = number };
    LIMN_TRY(limn_json_parse(&document, line, size, err));
    const limn_json_node root = limn_json_root(document);
    const limn_status s = read_record(r, &root, folder, err);
    json_decref(document);
    if (r->n_ids > f->longest) f->longest = r->n_ids;
    return s;
}

static limn_status add_lines(limn_ids_file *f, const char *text, size_t size, const char *folder,
                             limn_error *err)
{
    size_t number = 1;
    for (size_t at = 0; at < size; number++) {
        const char *line = text + at, *newline = memchr(line, '\n', size - at);
        const size_t n = newline ? (size_t)(newline - line) : size - at;
        if (n > 0) {
            const limn_status s = add_line(f, line, n, number, folder, err);
            if (s != LIMN_OK) {
                limn_error_prefix(err, "line %zu", number);
                return s;
            }
        }
        at += n + 1;
    }
    return f->n_records > 0 ? LIMN_OK : limn_fail(err, LIMN_E_FORMAT, "has no lines");
}

static int compare(const void *a, const void *b)
{
    const limn_ids_record *x = a, *y = b;
    const int order = strcmp(x->path, y->path);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

limn_status limn_ids_file_read(limn_ids_file *out, const char *path, const char *folder,
                               limn_error *err)
{
    unsigned char *bytes;
    size_t size;
    *out = (limn_ids_file){ NULL, 0, 0, 0 };
    LIMN_TRY(limn_file_read(&bytes, &size, path, MAX_SIZE, err));
    const limn_status s = add_lines(out, (const char *)bytes, size, folder, err);
    limn_free(bytes);
    if (s == LIMN_OK) {
        qsort(out->records, out->n_records, sizeof *out->records, compare);
        return LIMN_OK;
    }
    limn_error_prefix(err, "%s", path);
    limn_ids_file_finish(out);
    return s;
}

void limn_ids_file_finish(limn_ids_file *f)
{
    for (size_t i = 0; i < f->n_records; i++) {
        limn_free(f->records[i].name);
        limn_free(f->records[i].path);
        limn_free(f->records[i].ids);
    }
    limn_free(f->records);
    *f = (limn_ids_file){ NULL, 0, 0, 0 };
}

const limn_ids_record *limn_ids_file_find(const limn_ids_file *f, const char *path,
                                          size_t *n_records)
{
    size_t first = 0, end = f->n_records;
    while (first < end) { /* the first whose path is not before this one */
        const size_t middle = first + (end - first) / 2;
        if (strcmp(f->records[middle].path, path) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    for (end = first; end < f->n_records && strcmp(f->records[end].path, path) == 0;) end++;
    *n_records = end - first;
    return end > first ? &f->records[first] : NULL;
}

#include "models/train/pixel_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/mem.h"
#include "common/io/fileio.h"
#include "common/io/json.h"

#define MAX_RECORD_SIZE ((size_t)4 << 30) /* bytes */

static limn_status out_of_memory(limn_error *err)
{
    return limn_fail(err, LIMN_E_NOMEM, "out of memory for a cache's record");
}

void limn_pixel_record_finish(limn_pixel_record *r)
{
    for (size_t i = 0; i < r->n_unreadable; i++) {
        limn_free(r->unreadable[i].name);
        limn_free(r->unreadable[i].error);
    }
    limn_free(r->unreadable);
    limn_free(r->unreadable_stamps);
    limn_free(r->stamps);
    limn_free(r->checksums);
    *r = (limn_pixel_record){ 0 };
}

limn_status limn_pixel_record_add(limn_pixel_record *r, limn_file_stamp stamp, uint64_t checksum,
                                  limn_error *err)
{
    if (!limn_grow((void **)&r->stamps, &r->rows_capacity, r->n_rows + 1, sizeof *r->stamps) ||
        !limn_grow((void **)&r->checksums, &r->checksums_capacity, r->n_rows + 1,
                   sizeof *r->checksums))
        return out_of_memory(err);
    r->stamps[r->n_rows] = stamp;
    r->checksums[r->n_rows++] = checksum;
    return LIMN_OK;
}

limn_status limn_pixel_record_add_unreadable(limn_pixel_record *r, limn_file_stamp stamp,
                                             const char *name, const char *error, limn_error *err)
{
    const size_t n = r->n_unreadable;
    if (!limn_grow((void **)&r->unreadable, &r->unreadable_capacity, n + 1,
                   sizeof *r->unreadable) ||
        !limn_grow((void **)&r->unreadable_stamps, &r->unreadable_stamps_capacity, n + 1,
                   sizeof *r->unreadable_stamps))
        return out_of_memory(err);
    r->unreadable[n] = (limn_unreadable_image){ limn_strdup(name), limn_strdup(error) };
    r->unreadable_stamps[n] = stamp;
    r->n_unreadable++;
    return r->unreadable[n].name && r->unreadable[n].error ? LIMN_OK : out_of_memory(err);
}

uint64_t limn_pixel_record_hash_name(uint64_t names, const char *name)
{
    return limn_fnv1a64(names, name, strlen(name) + 1);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void print_checksum(char out[17], uint64_t checksum)
{
    snprintf(out, 17, "%016llx", (unsigned long long)checksum);
}

static json_t *pack_rows(const limn_pixel_record *r)
{
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < r->n_rows; i++) {
        char checksum[17];
        print_checksum(checksum, r->checksums[i]);
        json_array_append_new(rows, json_pack("{sI sI ss}", "bytes", (json_int_t)r->stamps[i].size,
                                              "time", (json_int_t)r->stamps[i].time, "checksum",
                                              checksum));
    }
    return rows;
}

/* Names and errors may hold any bytes: what is not UTF-8 there is left out, so such an image has
 * an entry without a name, which fits none. */
static json_t *text_or_null(const char *text)
{
    json_t *string = json_string(text);
    return string ? string : json_null();
}

static json_t *pack_unreadable(const limn_pixel_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < r->n_unreadable; i++)
        json_array_append_new(list, json_pack("{sI sI so so}", "bytes",
                                              (json_int_t)r->unreadable_stamps[i].size, "time",
                                              (json_int_t)r->unreadable_stamps[i].time, "name",
                                              text_or_null(r->unreadable[i].name), "error",
                                              text_or_null(r->unreadable[i].error)));
    return list;
}

/* Writes the fields in which the input differs from a squashed whole image. */
static void add_fit(json_t *root, const limn_input_spec *s)
{
    if (s->decodes_whole) json_object_set_new(root, "decodes_whole", json_true());
    if (s->fit != LIMN_FIT_CROP) return;
    json_object_set_new(root, "shorter_side", json_integer(s->shorter_side));
    if (s->rounding != LIMN_ROUND_TORCHVISION)
        json_object_set_new(root, "rounding", json_string(limn_rounding_names[s->rounding]));
}

limn_status limn_pixel_record_write(const char *path, const limn_pixel_record *r, limn_error *err)
{
    json_t *rows = pack_rows(r), *unreadable = pack_unreadable(r);
    const bool is_whole =
        json_array_size(rows) == r->n_rows && json_array_size(unreadable) == r->n_unreadable;
    char names[17];
    print_checksum(names, r->names);
    json_t *root = json_pack("{si ss sI ss so so}", "input_size", (int)r->input.spec.width,
                             "resize", limn_resize_filter_names[r->input.spec.filter], "max_pixels",
                             (json_int_t)r->input.max_pixels, "names", names, "unreadable",
                             unreadable, "rows", rows);
    if (root) add_fit(root, &r->input.spec);
    char *text = root && is_whole ? json_dumps(root, JSON_INDENT(1)) : NULL;
    const limn_status s =
        text ? limn_file_replace(path, text, strlen(text), err) : out_of_memory(err);
    free(text);
    json_decref(root);
    return s;
}

/* ---- reading ------------------------------------------------------------------------------- */

static limn_status read_integer(int64_t *out, const limn_json_node *object, const char *key,
                                limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    return limn_json_as_integer(out, &node, INT64_MIN, INT64_MAX, err);
}

static limn_status read_stamp(limn_file_stamp *out, const limn_json_node *object, limn_error *err)
{
    LIMN_TRY(read_integer(&out->size, object, "bytes", err));
    return read_integer(&out->time, object, "time", err);
}

static limn_status read_checksum(uint64_t *out, const limn_json_node *object, const char *key,
                                 limn_error *err)
{
    const char *text;
    LIMN_TRY(limn_json_string(&text, object, key, err));
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return limn_json_fail(object, err, LIMN_E_FORMAT, "%s is not 16 hexadecimal digits", key);
    *out = strtoull(text, NULL, 16);
    return LIMN_OK;
}

static limn_status read_rows(limn_pixel_record *r, const limn_json_node *root, limn_error *err)
{
    limn_json_node rows;
    size_t n;
    LIMN_TRY(limn_json_array(&rows, &n, root, "rows", err));
    for (size_t i = 0; i < n; i++) {
        const limn_json_node row = limn_json_at(&rows, i);
        limn_file_stamp stamp;
        uint64_t checksum = 0;
        LIMN_TRY(read_stamp(&stamp, &row, err));
        LIMN_TRY(read_checksum(&checksum, &row, "checksum", err));
        LIMN_TRY(limn_pixel_record_add(r, stamp, checksum, err));
    }
    return LIMN_OK;
}

static limn_status read_text(const char **out, const limn_json_node *object, const char *key,
                             limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    *out = "";
    return json_is_null(node.value) ? LIMN_OK : limn_json_as_string(out, &node, err);
}

static limn_status read_unreadable(limn_pixel_record *r, const limn_json_node *root,
                                   limn_error *err)
{
    limn_json_node list;
    size_t n;
    LIMN_TRY(limn_json_array(&list, &n, root, "unreadable", err));
    for (size_t i = 0; i < n; i++) {
        const limn_json_node item = limn_json_at(&list, i);
        const char *name, *error;
        limn_file_stamp stamp;
        LIMN_TRY(read_stamp(&stamp, &item, err));
        LIMN_TRY(read_text(&name, &item, "name", err));
        LIMN_TRY(read_text(&error, &item, "error", err));
        LIMN_TRY(limn_pixel_record_add_unreadable(r, stamp, name, error, err));
    }
    return LIMN_OK;
}

static limn_status read_spec(limn_input_spec *spec, const limn_json_node *root, limn_error *err)
{
    uint32_t filter, rounding = LIMN_ROUND_TORCHVISION;
    LIMN_TRY(limn_json_u32(&spec->width, root, "input_size", 1, 65535, err));
    LIMN_TRY(limn_json_choice(&filter, root, "resize", limn_resize_filter_names, err));
    spec->height = spec->width;
    spec->filter = (limn_resize_filter)filter;
    if (limn_json_has(root, "decodes_whole"))
        LIMN_TRY(limn_json_bool(&spec->decodes_whole, root, "decodes_whole", err));
    if (!limn_json_has(root, "shorter_side")) return LIMN_OK;
    spec->fit = LIMN_FIT_CROP;
    if (limn_json_has(root, "rounding"))
        LIMN_TRY(limn_json_choice(&rounding, root, "rounding", limn_rounding_names, err));
    spec->rounding = (limn_rounding)rounding;
    return limn_json_u32(&spec->shorter_side, root, "shorter_side", spec->width, 65535, err);
}

static limn_status read_root(limn_pixel_record *r, const limn_json_node *root, limn_error *err)
{
    int64_t max_pixels;
    LIMN_TRY(limn_json_as_object(root, err));
    LIMN_TRY(read_spec(&r->input.spec, root, err));
    LIMN_TRY(read_integer(&max_pixels, root, "max_pixels", err));
    r->input.max_pixels = (uint64_t)max_pixels;
    LIMN_TRY(read_checksum(&r->names, root, "names", err));
    LIMN_TRY(read_unreadable(r, root, err));
    return read_rows(r, root, err);
}

limn_status limn_pixel_record_read(limn_pixel_record *r, const char *path, limn_error *err)
{
    unsigned char *text = NULL;
    json_t *document = NULL;
    size_t size;
    LIMN_TRY(limn_file_read(&text, &size, path, MAX_RECORD_SIZE, err));
    limn_status s = limn_json_parse(&document, text, size, err);
    if (s == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        s = read_root(r, &root, err);
    }
    if (s != LIMN_OK) limn_error_prefix(err, "%s", path);
    json_decref(document);
    limn_free(text);
    return s;
}

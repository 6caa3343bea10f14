#include "models/tag_heads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/json.h"
#include "common/kernels/pack.h"
#include "common/text/utf8.h"

/* ---- memory ------------------------------------------------------------------------------- */

static void finish_tensor(limn_tensor *t)
{
    limn_free((void *)t->data);
    limn_free((void *)t->name);
    *t = (limn_tensor){ .name = NULL };
}

static void finish_head(limn_tag_head *head)
{
    for (size_t i = 0; head->names && i < head->n_tags; i++) limn_free((void *)head->names[i]);
    limn_free((void *)head->names);
    finish_tensor(&head->hidden_weight);
    finish_tensor(&head->hidden_bias);
    finish_tensor(&head->output_weight);
    finish_tensor(&head->output_bias);
    *head = (limn_tag_head){ .n_tags = 0 };
}

void limn_tag_heads_finish(limn_tag_heads *heads)
{
    for (size_t i = 0; i < heads->n_items; i++) finish_head(&heads->items[i]);
    free(heads->metadata); /* jansson's */
    *heads = (limn_tag_heads){ .n_items = 0 };
}

static limn_status copy_names(limn_tag_head *out, const char *const *names, limn_error *err)
{
    char **copies = limn_calloc(out->n_tags, sizeof *copies);
    out->names = (const char *const *)copies;
    for (size_t i = 0; copies && i < out->n_tags; i++)
        if (!(copies[i] = limn_strdup(names[i]))) copies = NULL;
    return copies ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
}

/* ---- checks ------------------------------------------------------------------------------- */

static bool is_set_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const size_t size = strlen(name);
    return size >= 1 && size <= LIMN_TAGS_MAX_SET_SIZE && strspn(name, allowed) == size;
}

/* Names are printed in lines of text, so no control characters. */
static bool is_tag_name(const char *name)
{
    const size_t size = strlen(name);
    if (size < 1 || size > LIMN_TAGS_MAX_NAME_SIZE || limn_utf8_valid_size(name, size) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) return false;
    return true;
}

/* The tensors that a head has: name's end, place, shape. */
typedef struct part {
    const char *end;
    limn_tensor *tensor;
    size_t n_dims, shape[2];
} part;

static size_t parts_of(part parts[LIMN_TAGS_MAX_TENSORS], limn_tag_head *h, size_t dim)
{
    const size_t pooled = h->has_maximum ? 2 * dim : dim;
    size_t n = 0;
    if (h->n_hidden > 0) {
        parts[n++] = (part){ "hidden.weight", &h->hidden_weight, 2, { h->n_hidden, pooled } };
        parts[n++] = (part){ "hidden.bias", &h->hidden_bias, 1, { h->n_hidden } };
    }
    parts[n++] = (part){
        "output.weight", &h->output_weight, 2, { h->n_tags, h->n_hidden > 0 ? h->n_hidden : pooled }
    };
    parts[n++] = (part){ "output.bias", &h->output_bias, 1, { h->n_tags } };
    return n;
}

/* By the exponents, which are all ones in infinity and NaN: a model has a million weights here. */
static bool is_finite(const limn_tensor *t)
{
    const unsigned char *bytes = t->data;
    size_t n_others = 0;
    uint16_t half;
    uint32_t whole;
    if (t->dtype == LIMN_TENSOR_F16)
        for (size_t i = 0; i < t->size; i += sizeof half) {
            memcpy(&half, bytes + i, sizeof half);
            n_others += (half & 0x7c00u) == 0x7c00u;
        }
    else
        for (size_t i = 0; i < t->size; i += sizeof whole) {
            memcpy(&whole, bytes + i, sizeof whole);
            n_others += (whole & 0x7f800000u) == 0x7f800000u;
        }
    return n_others == 0;
}

/* Copies one tensor of a head, under the name that it has in the file. */
static limn_status copy_tensor(const limn_tag_head *head, const part *p, const limn_tensor *from,
                               limn_error *err)
{
    char name[96];
    void *data = limn_alloc(from->size, 1);
    snprintf(name, sizeof name, LIMN_TAGS_PREFIX "%s.%s", head->set, p->end);
    *p->tensor = *from;
    p->tensor->data = data;
    p->tensor->name = limn_strdup(name);
    if (!data || !p->tensor->name)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for tensor %s", name);
    memcpy(data, from->data, from->size);
    return is_finite(p->tensor)
               ? LIMN_OK
               : limn_fail(err, LIMN_E_FORMAT, "tensor %s has a value that is not finite", name);
}

/* ---- reading ------------------------------------------------------------------------------ */

static limn_status read_names(limn_tag_head *out, const limn_json_node *head, limn_error *err)
{
    limn_json_node names;
    size_t n;
    LIMN_TRY(limn_json_array(&names, &n, head, "names", err));
    if (n < 1 || n > LIMN_TAGS_MAX_NAMES)
        return limn_json_fail(&names, err, LIMN_E_FORMAT, "%zu names, expected 1 to %d", n,
                              LIMN_TAGS_MAX_NAMES);
    char **copies = limn_calloc(n, sizeof *copies);
    out->names = (const char *const *)copies;
    out->n_tags = (uint32_t)n;
    for (size_t i = 0; copies && i < n; i++) {
        const limn_json_node node = limn_json_at(&names, i);
        const char *name;
        LIMN_TRY(limn_json_as_string(&name, &node, err));
        if (!is_tag_name(name))
            return limn_json_fail(&node, err, LIMN_E_FORMAT,
                                  "expected 1 to %d bytes without control characters",
                                  LIMN_TAGS_MAX_NAME_SIZE);
        if (!(copies[i] = limn_strdup(name))) copies = NULL;
    }
    return copies ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for names");
}

static limn_status read_set(limn_tag_head *out, const limn_tag_heads *heads,
                            const limn_json_node *head, limn_error *err)
{
    const char *set;
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, head, "set", err));
    LIMN_TRY(limn_json_as_string(&set, &node, err));
    if (!is_set_name(set))
        return limn_json_fail(&node, err, LIMN_E_FORMAT, "expected 1 to %d of a-z 0-9 _ -",
                              LIMN_TAGS_MAX_SET_SIZE);
    for (size_t i = 0; i < heads->n_items; i++)
        if (strcmp(heads->items[i].set, set) == 0)
            return limn_json_fail(&node, err, LIMN_E_FORMAT, "a second head \"%s\"", set);
    memcpy(out->set, set, strlen(set) + 1);
    return LIMN_OK;
}

static limn_status read_tensors(limn_tag_head *out, const limn_safetensors *file, size_t dim,
                                limn_error *err)
{
    part parts[LIMN_TAGS_MAX_TENSORS];
    const size_t n = parts_of(parts, out, dim);
    for (size_t i = 0; i < n; i++) {
        const limn_tensor *tensor;
        char name[96];
        snprintf(name, sizeof name, LIMN_TAGS_PREFIX "%s.%s", out->set, parts[i].end);
        LIMN_TRY(
            limn_safetensors_require(&tensor, file, name, parts[i].n_dims, parts[i].shape, err));
        if (parts[i].n_dims == 1 && tensor->dtype != LIMN_TENSOR_F32)
            return limn_fail(err, LIMN_E_FORMAT, "tensor %s is %s, expected F32", name,
                             limn_tensor_dtype_name(tensor->dtype));
        LIMN_TRY(limn_safetensors_fetch(file, tensor, err));
        LIMN_TRY(copy_tensor(out, &parts[i], tensor, err));
    }
    return LIMN_OK;
}

static limn_status read_head(limn_tag_heads *heads, const limn_json_node *head,
                             const limn_safetensors *file, size_t dim, limn_error *err)
{
    limn_tag_head *out = &heads->items[heads->n_items];
    LIMN_TRY(limn_json_as_object(head, err));
    LIMN_TRY(read_set(out, heads, head, err));
    heads->n_items++; /* from here on, limn_tag_heads_finish frees it too */
    LIMN_TRY(limn_json_bool(&out->is_exclusive, head, "exclusive", err));
    LIMN_TRY(limn_json_bool(&out->has_maximum, head, "maximum", err));
    LIMN_TRY(limn_json_u32(&out->n_hidden, head, "hidden", 0, LIMN_TAGS_MAX_HIDDEN, err));
    LIMN_TRY(read_names(out, head, err));
    return read_tensors(out, file, dim, err);
}

static limn_status read_all(limn_tag_heads *out, const limn_json_node *root,
                            const limn_safetensors *file, size_t dim, limn_error *err)
{
    size_t n;
    LIMN_TRY(limn_json_as_array(&n, root, err));
    if (n < 1 || n > LIMN_TAGS_MAX_HEADS)
        return limn_json_fail(root, err, LIMN_E_FORMAT, "%zu heads, expected 1 to %d", n,
                              LIMN_TAGS_MAX_HEADS);
    for (size_t i = 0; i < n; i++) {
        const limn_json_node head = limn_json_at(root, i);
        LIMN_TRY(read_head(out, &head, file, dim, err));
    }
    return LIMN_OK;
}

limn_status limn_tag_heads_read(limn_tag_heads *out, const limn_safetensors *file, size_t dim,
                                limn_error *err)
{
    const char *text = limn_safetensors_metadata(file, LIMN_TAGS_KEY);
    json_t *document = NULL;
    limn_status status;
    *out = (limn_tag_heads){ .n_items = 0 };
    if (!text) return LIMN_OK;
    status = limn_json_parse(&document, text, strlen(text), err);
    if (status == LIMN_OK) {
        const limn_json_node root = limn_json_root(document);
        status = read_all(out, &root, file, dim, err);
    }
    json_decref(document);
    if (status != LIMN_OK) {
        limn_error_prefix(err, LIMN_TAGS_KEY);
        limn_tag_heads_finish(out);
    }
    return status;
}

/* ---- making ------------------------------------------------------------------------------- */

static limn_status check_head(const limn_tag_head *head, size_t dim, limn_error *err)
{
    limn_tag_head copy = *head;
    part parts[LIMN_TAGS_MAX_TENSORS];
    if (!is_set_name(head->set) || head->n_tags < 1 || head->n_tags > LIMN_TAGS_MAX_NAMES ||
        head->n_hidden > LIMN_TAGS_MAX_HIDDEN)
        return limn_fail(err, LIMN_E_ARG, "tags \"%s\": %u names, %u hidden units", head->set,
                         head->n_tags, head->n_hidden);
    for (size_t i = 0; i < head->n_tags; i++)
        if (!is_tag_name(head->names[i]))
            return limn_fail(err, LIMN_E_ARG, "tags \"%s\": name %zu is \"%s\"", head->set, i,
                             head->names[i]);
    for (size_t i = 0; i < parts_of(parts, &copy, dim); i++) {
        const limn_tensor *t = parts[i].tensor;
        const bool is_float =
            t->dtype == LIMN_TENSOR_F32 || (t->dtype == LIMN_TENSOR_F16 && parts[i].n_dims == 2);
        if (!is_float || t->n_dims != parts[i].n_dims ||
            memcmp(t->shape, parts[i].shape, t->n_dims * sizeof *t->shape) != 0)
            return limn_fail(err, LIMN_E_ARG, "tags \"%s\": the shape of %s is another", head->set,
                             parts[i].end);
        LIMN_TRY(limn_tensor_check(t, err));
    }
    return LIMN_OK;
}

static limn_status copy_head(limn_tag_head *out, const limn_tag_head *head, size_t dim,
                             limn_error *err)
{
    limn_tag_head from = *head;
    part to_parts[LIMN_TAGS_MAX_TENSORS], from_parts[LIMN_TAGS_MAX_TENSORS];
    *out = (limn_tag_head){ .is_exclusive = head->is_exclusive,
                            .has_maximum = head->has_maximum,
                            .n_hidden = head->n_hidden,
                            .n_tags = head->n_tags };
    memcpy(out->set, head->set, sizeof out->set);
    LIMN_TRY(copy_names(out, head->names, err));
    parts_of(from_parts, &from, dim);
    for (size_t i = 0; i < parts_of(to_parts, out, dim); i++)
        LIMN_TRY(copy_tensor(out, &to_parts[i], from_parts[i].tensor, err));
    return LIMN_OK;
}

limn_status limn_tag_heads_add(limn_tag_heads *heads, const limn_tag_head *head, size_t dim,
                               limn_error *err)
{
    limn_tag_head copy;
    limn_status status;
    size_t at = 0;
    LIMN_TRY(check_head(head, dim, err));
    while (at < heads->n_items && strcmp(heads->items[at].set, head->set) != 0) at++;
    if (at == LIMN_TAGS_MAX_HEADS)
        return limn_fail(err, LIMN_E_LIMIT, "more than %d sets of tags", LIMN_TAGS_MAX_HEADS);
    status = copy_head(&copy, head, dim, err);
    if (status != LIMN_OK) {
        finish_head(&copy);
        return status;
    }
    if (at < heads->n_items)
        finish_head(&heads->items[at]);
    else
        heads->n_items++;
    heads->items[at] = copy;
    return LIMN_OK;
}

const limn_tag_head *limn_tag_heads_find(const limn_tag_heads *heads, const char *set)
{
    for (size_t i = 0; i < heads->n_items; i++)
        if (strcmp(heads->items[i].set, set) == 0) return &heads->items[i];
    return NULL;
}

size_t limn_tag_heads_keep(limn_tag_heads *heads, const char *set)
{
    const size_t n = heads->n_items;
    heads->n_items = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(heads->items[i].set, set) == 0)
            heads->items[heads->n_items++] = heads->items[i];
        else
            finish_head(&heads->items[i]);
    }
    return n - heads->n_items;
}

static limn_status narrow(limn_tensor *t, limn_error *err)
{
    const size_t n = t->size / sizeof(float);
    const float *values = t->data;
    uint16_t *halves;
    if (!t->data || t->dtype == LIMN_TENSOR_F16) return LIMN_OK;
    halves = limn_alloc(n, sizeof *halves);
    if (!halves) return limn_fail(err, LIMN_E_NOMEM, "out of memory for tensor %s", t->name);
    for (size_t i = 0; i < n; i++) {
        halves[i] = limn_f32_to_f16(values[i]);
        if ((halves[i] & 0x7c00) != 0x7c00) continue;
        limn_free(halves);
        return limn_fail(err, LIMN_E_LIMIT,
                         "tensor %s: value %zu is %g, beyond the range of F16 (65504)", t->name, i,
                         (double)values[i]);
    }
    limn_free((void *)t->data);
    t->data = halves;
    t->dtype = LIMN_TENSOR_F16;
    t->size = n * sizeof *halves;
    return LIMN_OK;
}

limn_status limn_tag_heads_narrow(limn_tag_heads *heads, limn_error *err)
{
    for (size_t i = 0; i < heads->n_items; i++) {
        LIMN_TRY(narrow(&heads->items[i].hidden_weight, err));
        LIMN_TRY(narrow(&heads->items[i].output_weight, err));
    }
    return LIMN_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

size_t limn_tag_heads_tensors(const limn_tag_heads *heads, limn_tensor *tensors)
{
    size_t n = 0;
    for (size_t i = 0; i < heads->n_items; i++) {
        const limn_tag_head *head = &heads->items[i];
        if (head->n_hidden > 0) {
            tensors[n++] = head->hidden_weight;
            tensors[n++] = head->hidden_bias;
        }
        tensors[n++] = head->output_weight;
        tensors[n++] = head->output_bias;
    }
    return n;
}

static json_t *head_object(const limn_tag_head *head)
{
    json_t *names = json_array();
    for (size_t i = 0; i < head->n_tags; i++)
        json_array_append_new(names, json_string(head->names[i]));
    return json_pack("{s:s, s:b, s:b, s:i, s:o}", "set", head->set, "exclusive", head->is_exclusive,
                     "maximum", head->has_maximum, "hidden", (int)head->n_hidden, "names", names);
}

limn_status limn_tag_heads_metadata(limn_tag_heads *heads, limn_metadata_item *item,
                                    limn_error *err)
{
    json_t *all = json_array();
    if (heads->n_items == 0) {
        json_decref(all);
        return limn_fail(err, LIMN_E_ARG, "there are no tags");
    }
    for (size_t i = 0; i < heads->n_items; i++)
        json_array_append_new(all, head_object(&heads->items[i]));
    free(heads->metadata);
    heads->metadata = json_array_size(all) == heads->n_items ? json_dumps(all, 0) : NULL;
    json_decref(all);
    *item = (limn_metadata_item){ LIMN_TAGS_KEY, heads->metadata };
    return heads->metadata ? LIMN_OK : limn_fail(err, LIMN_E_NOMEM, "out of memory for tags");
}

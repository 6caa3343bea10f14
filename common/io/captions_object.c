/* Objects of JSONL and of COCO: which image, and which captions. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/caption_fields.h"
#include "common/io/captions_parse.h"

/* The members of an object by what they hold; NULL for none. */
typedef struct members {
    const json_t *of[LIMN_N_FIELDS];
    const char *keys[LIMN_N_FIELDS];
    size_t ranks[LIMN_N_FIELDS];
} members;

/* Of several with the same meaning, the preferred one counts; null names no image. */
static members find_members(const json_t *object)
{
    members m = { .of = { NULL } };
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t rank;
        const limn_caption_field field = limn_caption_field_of(&rank, key, strlen(key));
        if (json_is_null(value) && field != LIMN_FIELD_CAPTION) continue;
        if (field == LIMN_FIELD_OTHER || (m.of[field] && m.ranks[field] <= rank)) continue;
        m.of[field] = value;
        m.keys[field] = key;
        m.ranks[field] = rank;
    }
    return m;
}

static bool has_image(const members *m)
{
    return m->of[LIMN_FIELD_FILE] || m->of[LIMN_FIELD_IMAGE_ID] || m->of[LIMN_FIELD_OWN_ID] ||
           m->of[LIMN_FIELD_URL];
}

bool limn_caption_is_object(const json_t *value)
{
    const members m = find_members(value);
    return json_is_object(value) && has_image(&m) &&
           (m.of[LIMN_FIELD_CAPTION] || m.of[LIMN_FIELD_NUMBERED_CAPTION] ||
            json_object_get(value, "error"));
}

bool limn_caption_has_text(const json_t *value)
{
    return json_is_string(value)
               ? !limn_caption_is_blank(limn_caption_text_of(json_string_value(value)))
               : json_array_size(value) > 0;
}

/* ---- names -------------------------------------------------------------------------------- */

limn_status limn_caption_read_name(limn_caption_text *out, char digits[24],
                                   const limn_json_node *node, limn_error *err)
{
    static const double max_exact = 9007199254740992.0;        /* 2^53 */
    const json_t *path = json_object_get(node->value, "path"); /* Hugging Face's image */
    const double real = json_is_real(node->value) ? json_real_value(node->value) : NAN;
    if (json_is_string(path) || json_is_string(node->value)) {
        *out = limn_caption_text_of(json_string_value(json_is_string(path) ? path : node->value));
        return LIMN_OK;
    }
    if (json_is_integer(node->value))
        snprintf(digits, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(node->value));
    else if (real == floor(real) && fabs(real) < max_exact) /* pandas' ids */
        snprintf(digits, 24, "%.0f", real);
    else
        return limn_json_fail(node, err, LIMN_E_FORMAT, "expected a string or an integer");
    *out = limn_caption_text_of(digits);
    return LIMN_OK;
}

/* The texts of an object's names, while the object lives. */
typedef struct names {
    char digits[LIMN_N_FIELDS][24];
    limn_caption_text of[LIMN_N_FIELDS];
} names;

static limn_status read_names(names *n, const members *m, const limn_json_node *object,
                              limn_error *err)
{
    static const limn_caption_field fields[] = { LIMN_FIELD_FILE, LIMN_FIELD_IMAGE_ID,
                                                 LIMN_FIELD_OWN_ID, LIMN_FIELD_URL };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const limn_caption_field f = fields[i];
        limn_json_node node;
        if (!m->of[f]) continue;
        LIMN_TRY(limn_json_get(&node, object, m->keys[f], err));
        if (json_is_object(node.value) && !json_is_string(json_object_get(node.value, "path")))
            continue; /* an image without a path */
        if (f == LIMN_FIELD_OWN_ID &&
            (n->of[LIMN_FIELD_FILE].bytes || n->of[LIMN_FIELD_IMAGE_ID].bytes) &&
            !json_is_string(node.value) && !json_is_integer(node.value))
            continue; /* it is not needed */
        LIMN_TRY(limn_caption_read_name(&n->of[f], n->digits[f], &node, err));
    }
    return LIMN_OK;
}

/* `n` keeps the texts that the item borrows. */
static limn_status read_item(limn_caption_item *item, names *n, const members *m,
                             const limn_json_node *object, const json_t *file_names,
                             limn_error *err)
{
    LIMN_TRY(read_names(n, m, object, err));
    *item = (limn_caption_item){
        .id = n->of[LIMN_FIELD_FILE],
        .id_kind = LIMN_NAME_FILE,
        .alias = n->of[LIMN_FIELD_IMAGE_ID],
        .alias_kind = LIMN_NAME_IMAGE_ID,
        .split = limn_caption_text_of(json_string_value(m->of[LIMN_FIELD_SPLIT])),
    };
    limn_caption_choose_names(item, n->of[LIMN_FIELD_OWN_ID], n->of[LIMN_FIELD_URL]);
    const json_t *name = item->id.bytes ? json_object_get(file_names, item->id.bytes) : NULL;
    if (name && !item->alias.bytes) {
        item->alias = limn_caption_text_of(json_string_value(name));
        item->alias_kind = LIMN_NAME_FILE;
    }
    return LIMN_OK;
}

/* ---- captions ----------------------------------------------------------------------------- */

static limn_status add_at(limn_caption_file *file, const limn_json_node *node,
                          const limn_caption_item *item, limn_caption_text caption, limn_error *err)
{
    limn_error reason = { 0 };
    const limn_status status = limn_caption_add(file, item, caption, &reason);
    return status == LIMN_OK ? status : limn_json_fail(node, err, status, "%s", reason.text);
}

static bool is_ascii_word(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || !*text) return false;
    while (*text > ' ' && *text < 0x7F) text++;
    return *text == '\0';
}

/* The tokens of one caption, where captions are expected. */
static limn_status check_no_tokens(const limn_json_node *array, size_t n_items, limn_error *err)
{
    enum { FEW = 3 };
    if (n_items < FEW) return LIMN_OK;
    for (size_t i = 0; i < n_items; i++)
        if (!is_ascii_word(json_array_get(array->value, i))) return LIMN_OK;
    return limn_json_fail(array, err, LIMN_E_FORMAT,
                          "is an array of single words, not of captions: join them with spaces");
}

/* Arrays nested three deep are enough. */
static limn_status add_array(limn_caption_file *file, const limn_json_node *array, size_t depth,
                             const limn_caption_item *item, limn_error *err);

static limn_status add_one(limn_caption_file *file, const limn_json_node *value, size_t depth,
                           const limn_caption_item *item, limn_error *err)
{
    const char *caption = NULL;
    limn_json_node inner = *value;
    if (json_is_array(value->value) && depth > 0)
        return add_array(file, value, depth - 1, item, err);
    if (json_is_object(value->value)) {
        const members m = find_members(value->value);
        if (m.of[LIMN_FIELD_CAPTION])
            LIMN_TRY(limn_json_get(&inner, value, m.keys[LIMN_FIELD_CAPTION], err));
    }
    if (!json_is_null(inner.value)) LIMN_TRY(limn_json_as_string(&caption, &inner, err));
    return add_at(file, value, item, limn_caption_text_of(caption), err);
}

static limn_status add_array(limn_caption_file *file, const limn_json_node *array, size_t depth,
                             const limn_caption_item *item, limn_error *err)
{
    size_t n_items;
    LIMN_TRY(limn_json_as_array(&n_items, array, err));
    LIMN_TRY(check_no_tokens(array, n_items, err));
    if (n_items == 0) return add_at(file, array, item, (limn_caption_text){ 0 }, err);
    for (size_t i = 0; i < n_items; i++) {
        const limn_json_node value = limn_json_at(array, i);
        LIMN_TRY(add_one(file, &value, depth, item, err));
    }
    return LIMN_OK;
}

limn_status limn_caption_add_value(limn_caption_file *file, const limn_json_node *value,
                                   const limn_caption_item *item, limn_error *err)
{
    enum { MAX_DEPTH = 2 };
    return add_one(file, value, MAX_DEPTH, item, err);
}

/* caption_1, caption_2 …: each is a statement. */
static limn_status add_numbered(limn_caption_file *file, const limn_json_node *object,
                                const limn_caption_item *item, limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object->value, key, value)
    {
        limn_json_node node;
        size_t rank;
        if (limn_caption_field_of(&rank, key, strlen(key)) != LIMN_FIELD_NUMBERED_CAPTION) continue;
        LIMN_TRY(limn_json_get(&node, object, key, err));
        limn_caption_begin_entry(file);
        LIMN_TRY(limn_caption_add_value(file, &node, item, err));
    }
    return LIMN_OK;
}

/* How confident an object says its (first) caption is. Anything else is ignored: others use these
 * names too. */
static limn_status add_sureness(limn_caption_file *file, size_t record,
                                const limn_json_node *object, limn_error *err)
{
    const json_t *number = json_object_get(object->value, "confidence");
    const json_t *signals = json_object_get(object->value, "signals");
    const double value = json_is_number(number) ? json_number_value(number) : -1;
    char *text = json_is_object(signals) ? json_dumps(signals, JSON_COMPACT) : NULL;
    const limn_status status = limn_caption_set_sureness(
        file, record, value >= 0 && value <= 1 ? value : NAN, limn_caption_text_of(text), err);
    free(text);
    return status;
}

/* ---- objects ------------------------------------------------------------------------------ */

/* Names what is missing, what would do and what is there. */
static limn_status fail_members(const limn_json_node *object, const char *what, const char *known,
                                limn_error *err)
{
    limn_buffer keys = { 0 };
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object->value, key, value)
    {
        if (keys.size < 60) limn_buffer_printf(&keys, "%s%.20s", keys.size > 0 ? ", " : "", key);
    }
    limn_json_fail(object, err, LIMN_E_FORMAT, "no field for the %s among \"%s\"; known are %s",
                   what, keys.bytes && !keys.has_failed ? keys.bytes : "", known);
    limn_buffer_finish(&keys);
    return LIMN_E_FORMAT;
}

static limn_status fail_names(const limn_json_node *object, limn_error *err)
{
    char known[400];
    snprintf(known, sizeof known, "%s%s%s%s", limn_caption_field_names(LIMN_FIELD_FILE),
             limn_caption_field_names(LIMN_FIELD_IMAGE_ID),
             limn_caption_field_names(LIMN_FIELD_OWN_ID), limn_caption_field_names(LIMN_FIELD_URL));
    return fail_members(object, "image", known, err);
}

static limn_status add_captions_of(limn_caption_file *file, const members *m,
                                   const limn_json_node *object, const limn_caption_item *item,
                                   limn_error *err)
{
    limn_json_node node;
    /* limn's own objects say the best one under "caption", and all under "captions" */
    const char *key = json_is_array(json_object_get(object->value, "captions"))
                          ? "captions"
                          : m->keys[LIMN_FIELD_CAPTION];
    if (key) {
        LIMN_TRY(limn_json_get(&node, object, key, err));
        limn_caption_begin_entry(file);
        return limn_caption_add_value(file, &node, item, err);
    }
    if (m->of[LIMN_FIELD_NUMBERED_CAPTION]) return add_numbered(file, object, item, err);
    if (!limn_json_has(object, "error"))
        return fail_members(object, "caption", limn_caption_field_names(LIMN_FIELD_CAPTION), err);
    limn_caption_begin_entry(file);
    return add_at(file, object, item, (limn_caption_text){ 0 }, err);
}

/* As Python takes them, in which the scorers that heed them are written; and as words. */
static limn_status read_flag(bool *is_set, const limn_json_node *flag, limn_error *err)
{
    limn_error reason = { 0 };
    *is_set = json_is_true(flag->value) || json_number_value(flag->value) != 0;
    if (json_is_boolean(flag->value) || json_is_number(flag->value) || json_is_null(flag->value))
        return LIMN_OK;
    if (!json_is_string(flag->value))
        return limn_json_fail(flag, err, LIMN_E_FORMAT, "neither true nor false");
    const char *word = json_string_value(flag->value);
    return limn_caption_read_flag(is_set, limn_caption_text_of(word), &reason) == LIMN_OK
               ? LIMN_OK
               : limn_json_fail(flag, err, LIMN_E_FORMAT, "%s", reason.text);
}

static limn_status read_flags(limn_caption_item *item, const limn_json_node *object,
                              limn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object->value, key, value)
    {
        limn_json_node flag;
        size_t rank;
        bool is_set;
        if (limn_caption_field_of(&rank, key, strlen(key)) != LIMN_FIELD_REJECTED) continue;
        LIMN_TRY(limn_json_get(&flag, object, key, err));
        LIMN_TRY(read_flag(&is_set, &flag, err));
        item->is_rejected |= is_set;
    }
    return LIMN_OK;
}

limn_status limn_caption_add_object(limn_caption_file *file, const limn_json_node *object,
                                    const json_t *file_names, limn_error *err)
{
    const size_t first = file->n_records;
    limn_caption_item item;
    names n = { .of = { { 0 } } };
    LIMN_TRY(limn_json_as_object(object, err));
    const members m = find_members(object->value);
    if (!has_image(&m)) return fail_names(object, err);
    LIMN_TRY(read_item(&item, &n, &m, object, file_names, err));
    LIMN_TRY(read_flags(&item, object, err));
    LIMN_TRY(add_captions_of(file, &m, object, &item, err));
    return file->n_records > first ? add_sureness(file, first, object, err) : LIMN_OK;
}

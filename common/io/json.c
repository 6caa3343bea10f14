#include "common/io/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- parsing ------------------------------------------------------------------------------ */

/* How deep brackets nest outside of strings: known before jansson recurses. */
static size_t nesting_depth(const char *text, size_t size)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return deepest;
}

static limn_status parse(json_t **out, const void *bytes, size_t size, size_t flags,
                         limn_error *err)
{
    json_error_t error;
    *out = NULL;
    const size_t depth = nesting_depth(bytes, size);
    if (depth > LIMN_JSON_MAX_DEPTH)
        return limn_fail(err, LIMN_E_LIMIT, "JSON is nested %zu deep, the limit is %d", depth,
                         LIMN_JSON_MAX_DEPTH);
    *out = json_loadb(bytes, size, flags, &error);
    if (*out) return LIMN_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for JSON of %zu bytes", size);
    return limn_fail(err, LIMN_E_FORMAT, "JSON, line %d, column %d: %s", error.line, error.column,
                     error.text);
}

limn_status limn_json_parse(json_t **out, const void *bytes, size_t size, limn_error *err)
{
    return parse(out, bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, err);
}

limn_status limn_json_parse_reals(json_t **out, const void *bytes, size_t size, limn_error *err)
{
    return parse(out, bytes, size,
                 JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, err);
}

/* ---- error texts -------------------------------------------------------------------------- */

/* The path of a node, as "decoder.layers[2].dim"; the root is "". Cut off at `capacity`; returns
 * the length that it has without the cut, as snprintf. */
static size_t write_path(char *out, size_t capacity, const limn_json_node *node)
{
    if (!node->parent) return 0;
    const size_t used = write_path(out, capacity, node->parent);
    const size_t at = used < capacity ? used : capacity;
    const int added = node->key
                          ? snprintf(out + at, capacity - at, "%s%s", used ? "." : "", node->key)
                          : snprintf(out + at, capacity - at, "[%zu]", node->index);
    return used + (size_t)added;
}

limn_status limn_json_fail(const limn_json_node *node, limn_error *err, limn_status code,
                           const char *fmt, ...)
{
    char path[240] = "", text[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    write_path(path, sizeof path, node);
    return limn_fail(err, code, "%s%s%s", path, path[0] ? ": " : "", text);
}

/* What a value is, in a few words: "an object", "-3", "\"some text\"". */
static void describe(char *out, size_t capacity, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: snprintf(out, capacity, "an object"); break;
    case JSON_ARRAY: snprintf(out, capacity, "an array"); break;
    case JSON_STRING: snprintf(out, capacity, "\"%.40s\"", json_string_value(value)); break;
    case JSON_INTEGER:
        snprintf(out, capacity, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: snprintf(out, capacity, "%.9g", json_real_value(value)); break;
    case JSON_TRUE: snprintf(out, capacity, "true"); break;
    case JSON_FALSE: snprintf(out, capacity, "false"); break;
    case JSON_NULL: snprintf(out, capacity, "null"); break;
    }
}

static limn_status fail_expected(const limn_json_node *node, limn_error *err, const char *expected)
{
    char is[64] = "";
    describe(is, sizeof is, node->value);
    return limn_json_fail(node, err, LIMN_E_FORMAT, "expected %s, is %s", expected, is);
}

/* ---- of a node itself --------------------------------------------------------------------- */

limn_json_node limn_json_root(const json_t *document)
{
    return (limn_json_node){ document, NULL, NULL, 0 };
}

limn_status limn_json_as_object(const limn_json_node *node, limn_error *err)
{
    return json_is_object(node->value) ? LIMN_OK : fail_expected(node, err, "an object");
}

limn_status limn_json_as_array(size_t *n_items, const limn_json_node *node, limn_error *err)
{
    if (!json_is_array(node->value)) return fail_expected(node, err, "an array");
    *n_items = json_array_size(node->value);
    return LIMN_OK;
}

limn_status limn_json_as_string(const char **out, const limn_json_node *node, limn_error *err)
{
    if (!json_is_string(node->value)) return fail_expected(node, err, "a string");
    *out = json_string_value(node->value);
    return LIMN_OK;
}

limn_status limn_json_as_integer(int64_t *out, const limn_json_node *node, int64_t low,
                                 int64_t high, limn_error *err)
{
    const int64_t value = json_is_integer(node->value) ? json_integer_value(node->value) : 0;
    if (!json_is_integer(node->value) || value < low || value > high) {
        char expected[96];
        snprintf(expected, sizeof expected, "an integer in %lld … %lld", (long long)low,
                 (long long)high);
        return fail_expected(node, err, expected);
    }
    *out = value;
    return LIMN_OK;
}

limn_status limn_json_as_number(double *out, const limn_json_node *node, double low, double high,
                                limn_error *err)
{
    const double value = json_number_value(node->value);
    if (!json_is_number(node->value) || !(value >= low && value <= high)) {
        char expected[96];
        snprintf(expected, sizeof expected, "a number in %g … %g", low, high);
        return fail_expected(node, err, expected);
    }
    *out = value;
    return LIMN_OK;
}

limn_status limn_json_as_bool(bool *out, const limn_json_node *node, limn_error *err)
{
    if (!json_is_boolean(node->value)) return fail_expected(node, err, "true or false");
    *out = json_is_true(node->value);
    return LIMN_OK;
}

limn_status limn_json_as_choice(uint32_t *out, const limn_json_node *node, const char *const *names,
                                limn_error *err)
{
    const char *name = json_string_value(node->value);
    char expected[160] = "";
    for (uint32_t i = 0; names[i]; i++) {
        const size_t used = strlen(expected);
        if (name && strcmp(name, names[i]) == 0) {
            *out = i;
            return LIMN_OK;
        }
        snprintf(expected + used, sizeof expected - used, "%s\"%s\"",
                 i == 0         ? ""
                 : names[i + 1] ? ", "
                                : " or ",
                 names[i]);
    }
    return fail_expected(node, err, expected);
}

/* ---- members and items -------------------------------------------------------------------- */

bool limn_json_has(const limn_json_node *object, const char *key)
{
    return json_object_get(object->value, key) != NULL;
}

limn_status limn_json_get(limn_json_node *out, const limn_json_node *object, const char *key,
                          limn_error *err)
{
    LIMN_TRY(limn_json_as_object(object, err));
    *out = (limn_json_node){ json_object_get(object->value, key), object, key, 0 };
    return out->value ? LIMN_OK : limn_json_fail(out, err, LIMN_E_FORMAT, "is missing");
}

limn_status limn_json_object(limn_json_node *out, const limn_json_node *object, const char *key,
                             limn_error *err)
{
    LIMN_TRY(limn_json_get(out, object, key, err));
    return limn_json_as_object(out, err);
}

limn_status limn_json_array(limn_json_node *out, size_t *n_items, const limn_json_node *object,
                            const char *key, limn_error *err)
{
    LIMN_TRY(limn_json_get(out, object, key, err));
    return limn_json_as_array(n_items, out, err);
}

limn_status limn_json_string(const char **out, const limn_json_node *object, const char *key,
                             limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    return limn_json_as_string(out, &node, err);
}

limn_status limn_json_u32(uint32_t *out, const limn_json_node *object, const char *key,
                          uint32_t low, uint32_t high, limn_error *err)
{
    limn_json_node node;
    int64_t value = 0;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    LIMN_TRY(limn_json_as_integer(&value, &node, low, high, err));
    *out = (uint32_t)value;
    return LIMN_OK;
}

limn_status limn_json_number(double *out, const limn_json_node *object, const char *key, double low,
                             double high, limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    return limn_json_as_number(out, &node, low, high, err);
}

limn_status limn_json_bool(bool *out, const limn_json_node *object, const char *key,
                           limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    return limn_json_as_bool(out, &node, err);
}

limn_status limn_json_choice(uint32_t *out, const limn_json_node *object, const char *key,
                             const char *const *names, limn_error *err)
{
    limn_json_node node;
    LIMN_TRY(limn_json_get(&node, object, key, err));
    return limn_json_as_choice(out, &node, names, err);
}

limn_json_node limn_json_at(const limn_json_node *array, size_t index)
{
    return (limn_json_node){ json_array_get(array->value, index), array, NULL, index };
}

json_t *limn_json_float(float value)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    return json_real(strtod(text, NULL));
}

#include "common/io/json_line.h"

#include <stdio.h>
#include <string.h>

#include "common/text/file_name.h"

/* Digits of numbers: a float's own, which is more than log-probabilities mean. */
enum { N_DIGITS = 9, MAX_KEY_SIZE = 32 };

void limn_json_line_set(json_t *object, const char *key, json_t *value, bool *is_whole)
{
    if (json_object_set_new(object, key, value)) *is_whole = false;
}

static void bytes_key(char out[MAX_KEY_SIZE], const char *key)
{
    snprintf(out, MAX_KEY_SIZE, "%s_bytes", key);
}

void limn_json_line_set_name(json_t *object, const char *key, const char *name, bool *is_whole)
{
    limn_buffer text = { 0 };
    char key_of_bytes[MAX_KEY_SIZE];
    if (limn_file_name_is_utf8(name)) {
        limn_json_line_set(object, key, json_string(name), is_whole);
        return;
    }
    bytes_key(key_of_bytes, key);
    limn_file_name_append_utf8(&text, name);
    limn_json_line_set(object, key, json_stringn(text.bytes, text.size), is_whole);
    *is_whole = *is_whole && !text.has_failed;
    limn_buffer_clear(&text);
    limn_file_name_append_hex(&text, name);
    limn_json_line_set(object, key_of_bytes, json_stringn(text.bytes, text.size), is_whole);
    *is_whole = *is_whole && !text.has_failed;
    limn_buffer_finish(&text);
}

static int append(const char *bytes, size_t size, void *out)
{
    limn_buffer_append(out, bytes, size);
    return 0;
}

void limn_json_line_append(limn_buffer *out, json_t *object, bool is_whole)
{
    if (!is_whole ||
        json_dump_callback(object, append, out, JSON_COMPACT | JSON_REAL_PRECISION(N_DIGITS)))
        out->has_failed = true;
    json_decref(object);
}

/* ---- reading ---------------------------------------------------------------------------- */

limn_status limn_json_line_parse(json_t **out, size_t *n_bytes, const char *text, size_t size,
                                 limn_error *err)
{
    const char *stop = memchr(text, '\n', size);
    json_error_t error;
    *n_bytes = stop ? (size_t)(stop - text) : size;
    *out = json_loadb(text, *n_bytes, JSON_DISABLE_EOF_CHECK, &error);
    if (json_is_object(*out)) {
        *n_bytes = (size_t)error.position; /* a separator may follow */
        return LIMN_OK;
    }
    json_decref(*out);
    *out = NULL;
    *n_bytes = 0;
    return stop ? limn_fail(err, LIMN_E_FORMAT, "no JSON object: %s", error.text) : LIMN_OK;
}

limn_status limn_json_line_get_name(limn_buffer *out, const json_t *object, const char *key,
                                    limn_error *err)
{
    char key_of_bytes[MAX_KEY_SIZE];
    const char *name = json_string_value(json_object_get(object, key)), *bytes;
    bytes_key(key_of_bytes, key);
    bytes = json_string_value(json_object_get(object, key_of_bytes));
    if (!name) return limn_fail(err, LIMN_E_FORMAT, "no text \"%s\"", key);
    if (!bytes)
        limn_buffer_append_text(out, name);
    else if (!limn_file_name_append_from_hex(out, bytes, strlen(bytes)))
        return limn_fail(err, LIMN_E_FORMAT, "\"%s\" is not hexadecimal", key_of_bytes);
    return LIMN_OK;
}

limn_status limn_json_line_parse_record(limn_buffer *name, size_t *record_size, const char *text,
                                        size_t size, const char *key, limn_error *err)
{
    json_t *object = NULL;
    limn_status s = limn_json_line_parse(&object, record_size, text, size, err);
    if (!object) return s;
    if (*record_size < size && text[*record_size] != '\n')
        s = limn_fail(err, LIMN_E_FORMAT, "more than one object on a line");
    else
        s = limn_json_line_get_name(name, object, key, err);
    *record_size += *record_size < size; /* the line end */
    json_decref(object);
    return s;
}

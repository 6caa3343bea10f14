/* JSON objects in lines: names of files, numbers, and reading them back. */
#ifndef LIMN_COMMON_IO_JSON_LINE_H
#define LIMN_COMMON_IO_JSON_LINE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/buffer.h"

/* jansson reports short memory by NULL, which every call passes on; it is looked for once, when the
 * object is written: *is_whole becomes false when a value could not be set. Takes `value`. */
void limn_json_line_set(json_t *object, const char *key, json_t *value, bool *is_whole);
/* A file name: as it is when it is UTF-8; else its odd bytes as \xNN, and all its bytes, two
 * hexadecimal digits each, under the key "KEY_bytes". */
void limn_json_line_set_name(json_t *object, const char *key, const char *name, bool *is_whole);

/* Appends the object without a line end, or fails `out`; frees the object. */
void limn_json_line_append(limn_buffer *out, json_t *object, bool is_whole);

/* The object that `text` [size] begins with, which may be followed by a line end: *n_bytes of it
 * without that line end; 0, and *out NULL, when the line is torn off. LIMN_E_FORMAT. */
limn_status limn_json_line_parse(json_t **out, size_t *n_bytes, const char *text, size_t size,
                                 limn_error *err);
/* Appends to `out` what limn_json_line_set_name set. LIMN_E_FORMAT. */
limn_status limn_json_line_get_name(limn_buffer *out, const json_t *object, const char *key,
                                    limn_error *err);
/* Both, where a line is one object: *record_size with its line end. */
limn_status limn_json_line_parse_record(limn_buffer *name, size_t *record_size, const char *text,
                                        size_t size, const char *key, limn_error *err);

#endif

/* File names in text. They are bytes: they may hold tabs, newlines, and no UTF-8 at all. */
#ifndef LIMN_COMMON_TEXT_FILE_NAME_H
#define LIMN_COMMON_TEXT_FILE_NAME_H

#include <stdbool.h>

#include "common/base/buffer.h"

/* For a line of text: backslash, tab, newline and carriage return as \\ \t \n \r, every other
 * byte as it is. `printf %b` undoes it. */
void limn_file_name_append_line(limn_buffer *out, const char *name);

/* The same, but the output is valid UTF-8: bytes that are not part of valid UTF-8 become \xNN. */
void limn_file_name_append_line_utf8(limn_buffer *out, const char *name);
/* Undoes both for `text` [size bytes]. False when a backslash is followed by anything
 * else, or a NUL would come out. */
bool limn_file_name_append_unescaped(limn_buffer *out, const char *text, size_t size);

bool limn_file_name_is_utf8(const char *name);
/* As UTF-8: every byte that is not part of valid UTF-8 as \xNN. For reading; not to be undone. */
void limn_file_name_append_utf8(limn_buffer *out, const char *name);
/* All bytes as two hexadecimal digits each. */
void limn_file_name_append_hex(limn_buffer *out, const char *name);
/* Undoes it for `text` [size bytes]. False when that is something else, or holds a NUL. */
bool limn_file_name_append_from_hex(limn_buffer *out, const char *text, size_t size);

#endif

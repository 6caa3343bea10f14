/* UTF-8: validation, iteration, white space, lower-casing. All functions are pure and thread-safe;
 * the properties of characters are those of libutf8proc's Unicode version. */
#ifndef LIMN_COMMON_TEXT_UTF8_H
#define LIMN_COMMON_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/text_buffer.h"

/* Reads the code point at the start of text [size bytes, size >= 1]. Returns the bytes it takes,
 * 1 … 4; 0 when they are not valid UTF-8 (truncated, overlong, a surrogate, above U+10FFFF). */
size_t limn_utf8_decode(uint32_t *code_point, const char *text, size_t size);

/* Writes a code point up to U+10FFFF to out [4] and returns its number of bytes. */
size_t limn_utf8_encode(char *out, uint32_t code_point);

/* The offset of the first byte that does not belong to valid UTF-8; `size` when all is valid. */
size_t limn_utf8_valid_size(const char *text, size_t size);

/* What Python's str.split() splits at: White_Space and U+001C … U+001F. */
bool limn_utf8_is_space(uint32_t code_point);

/* Ends a line in some program or standard: LF, VT, FF, CR, U+0085, U+2028, U+2029. */
bool limn_utf8_is_line_end(uint32_t code_point);

/* A letter, a number, or a mark that goes on top of one (categories L, N, Mn and Mc): what words
 * are made of. */
bool limn_utf8_is_word_character(uint32_t code_point);

/* Appends text [size bytes] in lower case by Unicode's full mapping, as Python's str.lower(): a
 * final sigma becomes U+03C2, U+0130 becomes "i" and a combining dot. Bytes that are not valid
 * UTF-8 are copied. LIMN_E_NOMEM. */
limn_status limn_utf8_append_lower(limn_text *out, const char *text, size_t size, limn_error *err);

/* The next word of *text [*size bytes] at white space: returns its first byte and sets *word_size,
 * moving *text and *size past it; NULL when there is none left. */
const char *limn_utf8_next_word(size_t *word_size, const char **text, size_t *size);

#endif

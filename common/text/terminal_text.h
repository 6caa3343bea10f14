/* Text that comes from outside (names of files, tokens of a model, what a file says), made harmless
 * for a terminal: an escape sequence in it could set the title, the clipboard or the answer to a
 * question. */
#ifndef LIMN_COMMON_TEXT_TERMINAL_TEXT_H
#define LIMN_COMMON_TEXT_TERMINAL_TEXT_H

#include <stddef.h>

#include "common/base/buffer.h"

/* Appends text [size bytes] with \xNN in place of each byte that could control a terminal: C0
 * controls (ECMA-48; but not line feeds and tabs), DEL, C1 controls as U+0080 … U+009F and as bare
 * bytes, and the characters that reorder text (Unicode's Bidi_Control, UAX #9) or end lines
 * (U+2028, U+2029). Everything else is copied, including other bytes that are not UTF-8. */
void limn_terminal_append(limn_buffer *out, const char *text, size_t size);

#endif

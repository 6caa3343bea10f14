/* Text of a file on standard output. */
#ifndef LIMN_TOOLS_INSPECT_SAFE_TEXT_H
#define LIMN_TOOLS_INSPECT_SAFE_TEXT_H

#include <stddef.h>

/* Without what could command a terminal; at most `limit` bytes of it. */
void limn_safe_text_print(const char *text, size_t limit);

#endif

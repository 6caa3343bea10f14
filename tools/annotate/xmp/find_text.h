/* Whether a text is somewhere in bytes. */
#ifndef LIMN_TOOLS_ANNOTATE_XMP_FIND_TEXT_H
#define LIMN_TOOLS_ANNOTATE_XMP_FIND_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* `bytes` [size] may be NULL when size is 0; `text` is not empty. */
bool limn_has_text(const void *bytes, size_t size, const char *text);

#endif

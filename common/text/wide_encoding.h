/* Text whose characters have two or four bytes each, where UTF-8 was expected. Pure. */
#ifndef LIMN_COMMON_TEXT_WIDE_ENCODING_H
#define LIMN_COMMON_TEXT_WIDE_ENCODING_H

#include <stddef.h>

/* The encoding of such a text, as iconv names it: "UTF-16" or "UTF-32" with a byte order mark; else
 * inferred from the zero bytes of its first characters, "UTF-16LE" …; NULL when it is neither.
 * Static storage. */
const char *limn_wide_encoding(const char *bytes, size_t size);

#endif

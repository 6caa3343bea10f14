/* Lower case as in Java's String.toLowerCase(Locale.ENGLISH), for comparing with the output of Java
 * programs. Pure, thread-safe. */
#ifndef LIMN_COMMON_TEXT_JAVA_LOWER_H
#define LIMN_COMMON_TEXT_JAVA_LOWER_H

#include <stddef.h>

#include "common/base/status.h"
#include "common/text/text_buffer.h"

/* As limn_utf8_append_lower, except for the capital sigma: here it is final when it is the last
 * cased letter of a word, and not the first, with words split as java.text.BreakIterator does.
 * "ΛΟΓΟΣ-Α" is one word to it, "ΛΟΓΟΣ’Α" is two. LIMN_E_NOMEM. */
limn_status limn_java_append_lower(limn_text *out, const char *text, size_t size, limn_error *err);

#endif

#include "tools/annotate/xmp/find_text.h"

#include <string.h>

bool limn_has_text(const void *bytes, size_t size, const char *text)
{
    const size_t n = strlen(text);
    if (size < n) return false;
    const char *at = bytes, *const end = at + (size - n) + 1; /* past the last place */
    while (at < end && (at = memchr(at, text[0], (size_t)(end - at)))) {
        if (!memcmp(at, text, n)) return true;
        at++;
    }
    return false;
}

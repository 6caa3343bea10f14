/* Words that go with a number. Pure. */
#ifndef LIMN_COMMON_TEXT_PLURAL_H
#define LIMN_COMMON_TEXT_PLURAL_H

#include <stddef.h>

/* For messages: "%zu %s", n, limn_plural(n, "image is", "images are"). */
static inline const char *limn_plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

#endif

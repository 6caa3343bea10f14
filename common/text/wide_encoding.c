#include "common/text/wide_encoding.h"

#include <stdbool.h>
#include <string.h>

enum { N_LOOKED_AT = 16 /* bytes */ };

/* Whether of the first characters, `width` bytes each, only byte `at` is not zero: ASCII. */
static bool is_ascii_of(const char *bytes, size_t size, size_t width, size_t at)
{
    const size_t n = (size < N_LOOKED_AT ? size : N_LOOKED_AT) / width * width;
    for (size_t i = 0; i < n; i++)
        if ((bytes[i] != '\0') != (i % width == at)) return false;
    return n >= 2 * width;
}

const char *limn_wide_encoding(const char *bytes, size_t size)
{
    static const struct {
        const char *name, *mark;
        size_t mark_size, width, at; /* width 0: by its mark */
    } encodings[] = {
        { "UTF-32", "\xFF\xFE\0\0", 4, 0, 0 }, /* first: begins with UTF-16's mark */
        { "UTF-32", "\0\0\xFE\xFF", 4, 0, 0 }, { "UTF-16", "\xFF\xFE", 2, 0, 0 },
        { "UTF-16", "\xFE\xFF", 2, 0, 0 },     { "UTF-32LE", NULL, 0, 4, 0 },
        { "UTF-32BE", NULL, 0, 4, 3 },         { "UTF-16LE", NULL, 0, 2, 0 },
        { "UTF-16BE", NULL, 0, 2, 1 },
    };
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        const size_t n = encodings[i].mark_size;
        if (encodings[i].width ? is_ascii_of(bytes, size, encodings[i].width, encodings[i].at)
                               : size >= n && !memcmp(bytes, encodings[i].mark, n))
            return encodings[i].name;
    }
    return NULL;
}

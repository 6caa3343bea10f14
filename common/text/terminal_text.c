#include "common/text/terminal_text.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/text/utf8.h"

static bool reorders_or_ends_lines(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_harmless(uint32_t c)
{
    if (c == '\n' || c == '\t') return true;
    return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && !reorders_or_ends_lines(c);
}

void limn_terminal_append(limn_buffer *out, const char *text, size_t size)
{
    size_t n_harmless = 0; /* bytes before `at` that are not yet appended */
    for (size_t at = 0; at < size;) {
        uint32_t c = (unsigned char)text[at]; /* a byte that is not UTF-8 stands for itself */
        const size_t n_valid = limn_utf8_decode(&c, text + at, size - at),
                     n = n_valid ? n_valid : 1;
        if (!n_valid) c = (unsigned char)text[at];
        if (is_harmless(c)) {
            n_harmless += n;
        } else {
            limn_buffer_append(out, text + at - n_harmless, n_harmless);
            for (size_t i = 0; i < n; i++)
                limn_buffer_printf(out, "\\x%02x", (unsigned char)text[at + i]);
            n_harmless = 0;
        }
        at += n;
    }
    limn_buffer_append(out, text + size - n_harmless, n_harmless);
}

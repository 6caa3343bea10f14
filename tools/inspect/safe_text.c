#include "tools/inspect/safe_text.h"

#include <stdio.h>

void limn_safe_text_print(const char *text, size_t limit)
{
    size_t n = 0;
    for (; text[n] && n < limit; n++)
        putchar((unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n]);
    if (text[n]) fputs(" ...", stdout);
}

#include "decoder/tokenizers/gpt2_words.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "common/text/utf8.h"

typedef enum kind { LETTER, NUMBER, SPACE, OTHER } kind;

/* \p{L}, \p{N}, \s and the rest. */
static kind kind_of(uint32_t c)
{
    if ((c >= '\t' && c <= '\r') || c == 0x85) return SPACE;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return NUMBER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return SPACE;
    default: return OTHER;
    }
}

/* The kind of the character at `at`, and its bytes; 0 bytes at the end. */
static kind read(size_t *n, const char *text, size_t size, size_t at)
{
    uint32_t c = 0;
    *n = at < size ? limn_utf8_decode(&c, text + at, size - at) : 0;
    if (at < size && *n == 0) *n = 1; /* not valid: continues */
    return kind_of(c);
}

static size_t contraction_size(const char *text, size_t size)
{
    static const char *const contractions[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (size_t i = 0; i < sizeof contractions / sizeof *contractions; i++) {
        const size_t n = strlen(contractions[i]);
        if (n <= size && memcmp(text, contractions[i], n) == 0) return n;
    }
    return 0;
}

/* White space, without its last character where something follows. */
static size_t space_size(const char *text, size_t size)
{
    size_t end = 0, last = 0, n;
    while (read(&n, text, size, end) == SPACE && n > 0) {
        last = end;
        end += n;
    }
    return end < size && last > 0 ? last : end;
}

size_t limn_gpt2_word_size(const char *text, size_t size)
{
    size_t n;
    size_t end = contraction_size(text, size);
    if (end > 0) return end;
    const size_t begin = text[0] == ' ' ? 1 : 0;
    const kind k = read(&n, text, size, begin);
    if (n == 0 || k == SPACE) return space_size(text, size);
    for (end = begin; read(&n, text, size, end) == k && n > 0;) end += n;
    return end;
}

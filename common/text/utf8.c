#include "common/text/utf8.h"

#include <utf8proc.h>

size_t limn_utf8_decode(uint32_t *code_point, const char *text, size_t size)
{
    utf8proc_int32_t decoded;
    utf8proc_ssize_t n;
    if ((unsigned char)text[0] < 0x80) {
        *code_point = (unsigned char)text[0];
        return 1;
    }
    n = utf8proc_iterate((const utf8proc_uint8_t *)text, size < 4 ? (utf8proc_ssize_t)size : 4,
                         &decoded);
    if (n <= 0) return 0;
    *code_point = (uint32_t)decoded;
    return (size_t)n;
}

size_t limn_utf8_encode(char *out, uint32_t code_point)
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)code_point, (utf8proc_uint8_t *)out);
}

size_t limn_utf8_valid_size(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint32_t code_point;
        const size_t n = limn_utf8_decode(&code_point, text + at, size - at);
        if (n == 0) break;
        at += n;
    }
    return at;
}

bool limn_utf8_is_space(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool limn_utf8_is_line_end(uint32_t c)
{
    return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool limn_utf8_is_word_character(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return false;
    }
}

static bool is_cased(uint32_t c)
{
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT;
}

/* Characters that the condition for a final sigma looks through. */
static bool is_case_ignorable(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019;
    }
}

static bool has_cased_before(const char *text, size_t at)
{
    while (at > 0) {
        uint32_t c;
        size_t start = at - 1;
        while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80) start--;
        if (limn_utf8_decode(&c, text + start, at - start) == 0) return false;
        if (!is_case_ignorable(c)) return is_cased(c);
        at = start;
    }
    return false;
}

static bool has_cased_after(const char *text, size_t size)
{
    for (size_t at = 0, n; at < size; at += n) {
        uint32_t c;
        n = limn_utf8_decode(&c, text + at, size - at);
        if (n == 0) return false;
        if (!is_case_ignorable(c)) return is_cased(c);
    }
    return false;
}

/* Writes the lower case of the code point `c`, which is at text[at … at + n), to out [4]. */
static size_t lower(char *out, uint32_t c, const char *text, size_t at, size_t n, size_t size)
{
    const uint32_t capital_sigma = 0x3A3, final_sigma = 0x3C2;
    if (c == capital_sigma && has_cased_before(text, at) &&
        !has_cased_after(text + at + n, size - at - n))
        return limn_utf8_encode(out, final_sigma);
    if (c == 0x130) { /* capital I with dot: "i" and a combining dot above */
        out[0] = 'i';
        return 1 + limn_utf8_encode(out + 1, 0x307);
    }
    return limn_utf8_encode(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
}

limn_status limn_utf8_append_lower(limn_text *out, const char *text, size_t size, limn_error *err)
{
    LIMN_TRY(limn_text_reserve(out, size, err));
    for (size_t at = 0, n; at < size; at += n) {
        uint32_t c;
        char bytes[4] = { text[at], 0, 0, 0 };
        size_t n_bytes = 1;
        n = limn_utf8_decode(&c, text + at, size - at);
        if (n == 1) { /* there is room for the rest of the text */
            out->bytes[out->size++] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
            continue;
        }
        if (n == 0)
            n = 1;
        else
            n_bytes = lower(bytes, c, text, at, n, size);
        LIMN_TRY(limn_text_append(out, bytes, n_bytes, err));
        LIMN_TRY(limn_text_reserve(out, size - at - n, err));
    }
    out->bytes[out->size] = '\0';
    return LIMN_OK;
}

const char *limn_utf8_next_word(size_t *word_size, const char **text, size_t *size)
{
    const char *end = *text + *size, *at = *text, *word = NULL;
    while (at < end) {
        uint32_t c = 0xFFFD;
        const size_t n = limn_utf8_decode(&c, at, (size_t)(end - at));
        if (!limn_utf8_is_space(c))
            word = word ? word : at;
        else if (word)
            break;
        at += n ? n : 1;
    }
    *word_size = word ? (size_t)(at - word) : 0;
    *text = at;
    *size = (size_t)(end - at);
    return word;
}

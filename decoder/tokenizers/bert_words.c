#include "decoder/tokenizers/bert_words.h"

#include <stdint.h>
#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"

/* ---- characters --------------------------------------------------------------------------- */

static bool is_chinese(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        { 0x4e00, 0x9fff },   { 0x3400, 0x4dbf },   { 0x20000, 0x2a6df }, { 0x2a700, 0x2b73f },
        { 0x2b740, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0xf900, 0xfaff },   { 0x2f800, 0x2fa1f },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

static bool is_space(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    default: return c == '\t' || c == '\n' || c == '\r';
    }
}

/* What is left out of the text. */
static bool is_control(uint32_t c)
{
    if (c == 0 || c == 0xfffd) return true;
    if (is_space(c)) return false;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO: return true;
    default: return false;
    }
}

static bool is_punctuation(uint32_t c)
{
    if (c < 0x80)
        return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
               (c >= 123 && c <= 126);
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return true;
    default: return false;
    }
}

static limn_status append(limn_text *out, uint32_t c, limn_error *err)
{
    char bytes[4];
    return limn_text_append(out, bytes, limn_utf8_encode(bytes, c), err);
}

/* ---- steps -------------------------------------------------------------------------------- */

/* The text without control characters, with spaces around Chinese characters. */
static limn_status clean(limn_text *out, const char *text, size_t size, limn_error *err)
{
    for (size_t at = 0; at < size;) {
        uint32_t c;
        const size_t n = limn_utf8_decode(&c, text + at, size - at);
        if (n == 0) return limn_fail(err, LIMN_E_FORMAT, "invalid UTF-8 at byte %zu", at);
        at += n;
        if (is_control(c)) continue;
        const bool is_alone = is_chinese(c);
        if (is_alone) LIMN_TRY(append(out, ' ', err));
        LIMN_TRY(append(out, is_space(c) ? ' ' : c, err));
        if (is_alone) LIMN_TRY(append(out, ' ', err));
    }
    return LIMN_OK;
}

/* Cuts at white space and around punctuation. */
static limn_status append_cut(limn_text *words, uint32_t c, limn_error *err)
{
    const bool is_begun = words->size > 0 && words->bytes[words->size - 1] != ' ';
    const bool is_alone = is_punctuation(c);
    if (is_begun && (is_alone || is_space(c))) LIMN_TRY(append(words, ' ', err));
    if (is_space(c)) return LIMN_OK;
    LIMN_TRY(append(words, c, err));
    return is_alone ? append(words, ' ', err) : LIMN_OK;
}

/* Decomposed (NFD), without combining marks, in lower case. */
static limn_status append_lower(limn_text *words, const limn_text *clean_text, limn_error *err)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)clean_text->bytes;
    const utf8proc_ssize_t size = (utf8proc_ssize_t)clean_text->size;
    const utf8proc_ssize_t n = utf8proc_decompose(bytes, size, NULL, 0, UTF8PROC_DECOMPOSE);
    limn_status s = LIMN_OK;
    if (n < 0) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    utf8proc_int32_t *points = limn_alloc((size_t)n + 1, sizeof *points);
    if (!points || utf8proc_decompose(bytes, size, points, n, UTF8PROC_DECOMPOSE) != n)
        s = limn_fail(err, LIMN_E_NOMEM, "out of memory for a text of %zu bytes", clean_text->size);
    for (utf8proc_ssize_t i = 0; s == LIMN_OK && i < n; i++)
        if (utf8proc_category(points[i]) != UTF8PROC_CATEGORY_MN)
            s = append_cut(words, (uint32_t)utf8proc_tolower(points[i]), err);
    limn_free(points);
    return s;
}

static limn_status append_as_is(limn_text *words, const limn_text *clean_text, limn_error *err)
{
    for (size_t at = 0; at < clean_text->size;) {
        uint32_t c;
        at += limn_utf8_decode(&c, clean_text->bytes + at, clean_text->size - at);
        LIMN_TRY(append_cut(words, c, err));
    }
    return LIMN_OK;
}

limn_status limn_bert_words_append(limn_text *words, const char *text, size_t size, bool lower_case,
                                   limn_error *err)
{
    limn_text clean_text = { 0 };
    limn_status s = clean(&clean_text, text, size, err);
    if (s == LIMN_OK && clean_text.size > 0)
        s = lower_case ? append_lower(words, &clean_text, err)
                       : append_as_is(words, &clean_text, err);
    limn_text_finish(&clean_text);
    if (s == LIMN_OK && words->size > 0 && words->bytes[words->size - 1] != ' ')
        s = append(words, ' ', err);
    return s;
}

/* Words as the Java library's sun.text.resources.BreakIteratorRules have them: longest match. The
 * scanner reads one class a character; format characters are left out before. */
#include "common/text/java_lower.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#include "common/base/mem.h"
#include "common/text/utf8.h"

enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, SMALL_SIGMA = 0x3C3 };

/* The classes of characters. */
enum {
    END = 0, /* behind the text */
    LETTER = 'L',
    DIGIT = 'N',
    ENCLOSING = 'E', /* marks that take no space */
    MID_WORD = '-',
    QUOTE = '\'', /* in the middle of words and numbers */
    STOP = '.',   /* that too, and before a number */
    COMMA = ',',
    CURRENCY = '$', /* and what else stands before a number */
    PERCENT = '%',  /* behind one */
    DANDA = 'I',
    SPACE = ' ',
    RETURN = 'R',
    LINE_END = 'n',
    KANJI = 'K',
    KATAKANA = 'T',
    HIRAGANA = 'H',
    KANA_MARK = 'D',
    CONTROL = 'C',
    BASE = 'B', /* the rest */
    FORMAT = 'F',
};

/* Those that no category tells. */
static unsigned char listed_class(uint32_t c)
{
    switch (c) {
    case '"':
    case '\'': return QUOTE;
    case '.': return STOP;
    case ',':
    case 0x66B: return COMMA;
    case '#': return CURRENCY;
    case '%':
    case '&':
    case 0xA2:
    case 0x66A:
    case 0x2030:
    case 0x2031: return PERCENT;
    case 0xAD:
    case 0x2027: return MID_WORD;
    case 0x964:
    case 0x965: return DANDA;
    case '\t': return SPACE;
    case '\r': return RETURN;
    case '\n':
    case '\f':
    case 0x2028:
    case 0x2029: return LINE_END;
    default: return END;
    }
}

static unsigned char east_asian_class(uint32_t c)
{
    if (c == 0x3005 || (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0xF900 && c <= 0xFA2D)) return KANJI;
    if ((c >= 0x30A1 && c <= 0x30FA) || c == 0x30FD || c == 0x30FE) return KATAKANA;
    if ((c >= 0x3041 && c <= 0x3094) || c == 0x309D || c == 0x309E) return HIRAGANA;
    return (c >= 0x3099 && c <= 0x309C) || c == 0x30FB || c == 0x30FC ? KANA_MARK : END;
}

static unsigned char category_class(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MC: return LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME: return ENCLOSING;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return DIGIT;
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PC: return MID_WORD;
    case UTF8PROC_CATEGORY_SC: return CURRENCY;
    case UTF8PROC_CATEGORY_ZS: return SPACE;
    case UTF8PROC_CATEGORY_CC: return CONTROL;
    case UTF8PROC_CATEGORY_CF: return FORMAT;
    default: return BASE;
    }
}

/* Beyond the basic plane Java's rules know no categories. */
static unsigned char class_of(uint32_t c)
{
    if (c > 0xFFFF) return BASE;
    const unsigned char listed = listed_class(c);
    const unsigned char east_asian = listed ? listed : east_asian_class(c);
    return east_asian ? east_asian : category_class(c);
}

/* Behind the word, or what stands between words, that begins at `at`. */
static const unsigned char *next_break(const unsigned char *at)
{
    const unsigned char *marker;
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = at;
    re2c:define:YYMARKER = marker;
    re2c:yyfill:enable = 0;

    letter = "L" "E"*;
    digit  = "N" "E"*;
    word   = letter+ ([\-'.] letter+)* "I"?;
    number = digit+ ([,'.] digit+)*;
    joined = (number word)* (number "%"?)?;
    space  = " " "E"*;

    word joined | number (word joined)? | number "%" | [$.] joined { return at; }
    space+ "R"? "n"? | "R"? "n" | "R"      { return at; }
    [TD]+ | [HD]+ | "K"+                   { return at; }
    [^CERnF\x00] "E"+                      { return at; }
    [\x00]                                 { return at - 1; }
    *                                      { return at; }
    */
}

/* As java.lang.ConditionalSpecialCasing has it. */
static bool is_cased(uint32_t c)
{
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT || (c >= 0x2B0 && c <= 0x2B8) || c == 0x2C0 ||
           c == 0x2C1 || (c >= 0x2E0 && c <= 0x2E4) || c == 0x345 || c == 0x37A ||
           (c >= 0x1D2C && c <= 0x1D61) || (c >= 0x2160 && c <= 0x217F) ||
           (c >= 0x24B6 && c <= 0x24E9);
}

/* A text as the scanner reads it, format characters left out. */
typedef struct scanned {
    unsigned char *classes; /* [n + 1], END last */
    uint32_t *offsets;      /* [n] byte of each character */
    size_t n;
} scanned;

static limn_status scan(scanned *s, const char *text, size_t size, limn_error *err)
{
    s->classes = limn_alloc(size + 1, sizeof *s->classes);
    s->offsets = limn_alloc(size + 1, sizeof *s->offsets);
    if (!s->classes || !s->offsets || size > UINT32_MAX)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for a text of %zu bytes", size);
    for (size_t at = 0, n; at < size; at += n) {
        uint32_t c = 0xFFFD;
        n = limn_utf8_decode(&c, text + at, size - at);
        if (n == 0) n = 1;
        s->classes[s->n] = class_of(c);
        s->offsets[s->n] = (uint32_t)at;
        if (s->classes[s->n] != FORMAT) s->n++;
    }
    s->classes[s->n] = END;
    return LIMN_OK;
}

/* Writes the small letter for each capital sigma of text [size bytes]; it takes as many bytes. */
static void lower_sigmas(char *text, size_t size, const scanned *s)
{
    for (size_t i = 0, end; i < s->n; i = end) {
        size_t last_cased = 0, n_cased = 0;
        end = (size_t)(next_break(s->classes + i) - s->classes);
        for (size_t k = i; k < end; k++) {
            char *character = text + s->offsets[k];
            uint32_t c = 0;
            limn_utf8_decode(&c, character, size - s->offsets[k]);
            if (!is_cased(c)) continue;
            n_cased++;
            last_cased = c == CAPITAL_SIGMA ? s->offsets[k] : size;
            if (c == CAPITAL_SIGMA) limn_utf8_encode(character, SMALL_SIGMA);
        }
        if (n_cased > 1 && last_cased < size) limn_utf8_encode(text + last_cased, FINAL_SIGMA);
    }
}

static limn_status append_with_sigmas(limn_text *out, const char *text, size_t size,
                                      limn_error *err)
{
    scanned s = { 0 };
    limn_text copy = { 0 };
    limn_status status = limn_text_append(&copy, text, size, err);
    if (status == LIMN_OK) status = scan(&s, text, size, err);
    if (status == LIMN_OK) {
        lower_sigmas(copy.bytes, size, &s);
        status = limn_utf8_append_lower(out, copy.bytes, size, err);
    }
    limn_free(s.classes);
    limn_free(s.offsets);
    limn_text_finish(&copy);
    return status;
}

static bool has_sigma(const char *text, size_t size)
{
    for (const char *at = text, *end = text + size; (at = memchr(at, 0xCE, (size_t)(end - at)));
         at++)
        if (at + 1 < end && (unsigned char)at[1] == 0xA3) return true;
    return false;
}

limn_status limn_java_append_lower(limn_text *out, const char *text, size_t size, limn_error *err)
{
    return has_sigma(text, size) ? append_with_sigmas(out, text, size, err)
                                 : limn_utf8_append_lower(out, text, size, err);
}

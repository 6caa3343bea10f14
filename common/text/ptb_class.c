#include "common/text/ptb_lexer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "common/text/ptb_letters.h"
#include "common/text/utf8.h"

typedef struct class_range {
    limn_code_range range;
    unsigned char ptb_class;
} class_range;

/* Characters that the rules name, except letters and digits (ptb_letters.h). In order of code
 * points. Those from U+0080 to U+0097 are meant as in Windows code page 1252. */
static const class_range class_ranges[] = {
    { { 0x007F, 0x007F }, PTB_IGNORED },
    { { 0x0080, 0x0080 }, PTB_CURRENCY },
    { { 0x0091, 0x0091 }, PTB_OPEN_APOSTROPHE },
    { { 0x0092, 0x0092 }, PTB_APOSTROPHE },
    { { 0x0093, 0x0094 }, PTB_QUOTE },
    { { 0x0096, 0x0097 }, PTB_DASH },
    { { 0x00A0, 0x00A0 }, PTB_NO_BREAK_SPACE },
    { { 0x00A1, 0x00A1 }, PTB_STOP },
    { { 0x00A2, 0x00A5 }, PTB_CURRENCY },
    { { 0x00A6, 0x00A9 }, PTB_SYMBOL },
    { { 0x00AB, 0x00AB }, PTB_QUOTE },
    { { 0x00AC, 0x00AC }, PTB_SYMBOL },
    { { 0x00AD, 0x00AD }, PTB_SOFT_HYPHEN },
    { { 0x00AE, 0x00B1 }, PTB_SYMBOL },
    { { 0x00B2, 0x00B3 }, PTB_SUPER_DIGIT },
    { { 0x00B4, 0x00B8 }, PTB_SYMBOL },
    { { 0x00B9, 0x00B9 }, PTB_SUPER_DIGIT },
    { { 0x00BB, 0x00BB }, PTB_QUOTE },
    { { 0x00BC, 0x00BE }, PTB_FRACTION },
    { { 0x00BF, 0x00BF }, PTB_STOP },
    { { 0x00D7, 0x00D7 }, PTB_SYMBOL },
    { { 0x00F7, 0x00F7 }, PTB_SYMBOL },
    { { 0x02C2, 0x02C5 }, PTB_MARK },
    { { 0x02D2, 0x02DF }, PTB_MARK },
    { { 0x02E5, 0x037D }, PTB_MARK },
    { { 0x037E, 0x037E }, PTB_STOP },
    { { 0x0384, 0x0385 }, PTB_MARK },
    { { 0x0387, 0x0387 }, PTB_SYMBOL },
    { { 0x03F6, 0x03F6 }, PTB_MARK },
    { { 0x0483, 0x0487 }, PTB_MARK },
    { { 0x055A, 0x055F }, PTB_MARK },
    { { 0x0589, 0x0589 }, PTB_STOP },
    { { 0x058A, 0x058A }, PTB_HYPHEN },
    { { 0x0591, 0x05BD }, PTB_MARK },
    { { 0x05BE, 0x05BE }, PTB_SYMBOL },
    { { 0x05BF, 0x05BF }, PTB_MARK },
    { { 0x05C0, 0x05C0 }, PTB_SYMBOL },
    { { 0x05C1, 0x05C2 }, PTB_MARK },
    { { 0x05C3, 0x05C3 }, PTB_SYMBOL },
    { { 0x05C4, 0x05C5 }, PTB_MARK },
    { { 0x05C6, 0x05C6 }, PTB_SYMBOL },
    { { 0x05C7, 0x05C7 }, PTB_MARK },
    { { 0x05F3, 0x05F4 }, PTB_SYMBOL },
    { { 0x0600, 0x0603 }, PTB_SYMBOL },
    { { 0x0606, 0x060A }, PTB_SYMBOL },
    { { 0x060B, 0x060B }, PTB_CURRENCY },
    { { 0x060C, 0x060C }, PTB_SYMBOL },
    { { 0x0614, 0x0614 }, PTB_SYMBOL },
    { { 0x0615, 0x061A }, PTB_MARK },
    { { 0x061B, 0x061B }, PTB_SYMBOL },
    { { 0x061E, 0x061E }, PTB_SYMBOL },
    { { 0x061F, 0x061F }, PTB_STOP },
    { { 0x064B, 0x065E }, PTB_MARK },
    { { 0x066A, 0x066A }, PTB_SYMBOL },
    { { 0x066B, 0x066C }, PTB_NUMBER_SEPARATOR },
    { { 0x066D, 0x066D }, PTB_SYMBOL },
    { { 0x0670, 0x0670 }, PTB_MARK },
    { { 0x06D4, 0x06D4 }, PTB_STOP },
    { { 0x06D6, 0x06EF }, PTB_MARK },
    { { 0x06FA, 0x06FF }, PTB_MARK },
    { { 0x0700, 0x0702 }, PTB_STOP },
    { { 0x0703, 0x070D }, PTB_SYMBOL },
    { { 0x070F, 0x070F }, PTB_MARK },
    { { 0x0711, 0x0711 }, PTB_MARK },
    { { 0x0730, 0x074F }, PTB_MARK },
    { { 0x07A6, 0x07B1 }, PTB_MARK },
    { { 0x07EB, 0x07F5 }, PTB_MARK },
    { { 0x07F6, 0x07F8 }, PTB_SYMBOL },
    { { 0x0900, 0x0903 }, PTB_MARK },
    { { 0x093C, 0x093C }, PTB_MARK },
    { { 0x093E, 0x094E }, PTB_MARK },
    { { 0x0951, 0x0955 }, PTB_MARK },
    { { 0x0962, 0x0963 }, PTB_MARK },
    { { 0x0964, 0x0965 }, PTB_SYMBOL },
    { { 0x0981, 0x0983 }, PTB_MARK },
    { { 0x09BC, 0x09C4 }, PTB_MARK },
    { { 0x09C7, 0x09C8 }, PTB_MARK },
    { { 0x09CB, 0x09CD }, PTB_MARK },
    { { 0x09D7, 0x09D7 }, PTB_MARK },
    { { 0x09E2, 0x09E3 }, PTB_MARK },
    { { 0x0A01, 0x0A03 }, PTB_MARK },
    { { 0x0A3C, 0x0A3C }, PTB_MARK },
    { { 0x0A3E, 0x0A4F }, PTB_MARK },
    { { 0x0A81, 0x0A83 }, PTB_MARK },
    { { 0x0ABC, 0x0ACF }, PTB_MARK },
    { { 0x0B82, 0x0B82 }, PTB_MARK },
    { { 0x0BBE, 0x0BC2 }, PTB_MARK },
    { { 0x0BC6, 0x0BC8 }, PTB_MARK },
    { { 0x0BCA, 0x0BCD }, PTB_MARK },
    { { 0x0C01, 0x0C03 }, PTB_MARK },
    { { 0x0C3E, 0x0C56 }, PTB_MARK },
    { { 0x0D3E, 0x0D44 }, PTB_MARK },
    { { 0x0D46, 0x0D48 }, PTB_MARK },
    { { 0x0E30, 0x0E3A }, PTB_MARK },
    { { 0x0E3F, 0x0E3F }, PTB_CURRENCY },
    { { 0x0E47, 0x0E4E }, PTB_MARK },
    { { 0x0E4F, 0x0E4F }, PTB_SYMBOL },
    { { 0x0EB1, 0x0EBC }, PTB_MARK },
    { { 0x0EC8, 0x0ECD }, PTB_MARK },
    { { 0x1FBD, 0x1FBD }, PTB_SYMBOL },
    { { 0x2000, 0x200A }, PTB_SPACE },
    { { 0x200B, 0x200B }, PTB_IGNORED },
    { { 0x200E, 0x200F }, PTB_IGNORED },
    { { 0x2010, 0x2011 }, PTB_HYPHEN },
    { { 0x2013, 0x2015 }, PTB_DASH },
    { { 0x2016, 0x2017 }, PTB_SYMBOL },
    { { 0x2018, 0x2018 }, PTB_OPEN_APOSTROPHE },
    { { 0x2019, 0x2019 }, PTB_APOSTROPHE },
    { { 0x201A, 0x201A }, PTB_QUOTE },
    { { 0x201B, 0x201B }, PTB_OPEN_APOSTROPHE },
    { { 0x201C, 0x201F }, PTB_QUOTE },
    { { 0x2020, 0x2023 }, PTB_SYMBOL },
    { { 0x2026, 0x2026 }, PTB_ELLIPSIS },
    { { 0x2030, 0x2038 }, PTB_SYMBOL },
    { { 0x2039, 0x203A }, PTB_QUOTE },
    { { 0x203B, 0x203B }, PTB_SYMBOL },
    { { 0x203E, 0x2042 }, PTB_SYMBOL },
    { { 0x2044, 0x2044 }, PTB_FRACTION_SLASH },
    { { 0x2070, 0x2070 }, PTB_SUPER_DIGIT },
    { { 0x2074, 0x2079 }, PTB_SUPER_DIGIT },
    { { 0x207A, 0x207B }, PTB_SUPER_SIGN },
    { { 0x207C, 0x207F }, PTB_SYMBOL },
    { { 0x2080, 0x2089 }, PTB_SUB_DIGIT },
    { { 0x208A, 0x208B }, PTB_SUPER_SIGN },
    { { 0x208C, 0x208E }, PTB_SYMBOL },
    { { 0x20A0, 0x20A0 }, PTB_CURRENCY },
    { { 0x20A4, 0x20A4 }, PTB_CURRENCY },
    { { 0x20AC, 0x20AC }, PTB_CURRENCY },
    { { 0x2100, 0x214F }, PTB_SYMBOL },
    { { 0x2153, 0x215E }, PTB_FRACTION },
    { { 0x2160, 0x216F }, PTB_CAPITAL_OTHER },
    { { 0x2190, 0x24B5 }, PTB_SYMBOL },
    { { 0x24B6, 0x24CF }, PTB_CAPITAL_SYMBOL },
    { { 0x24D0, 0x2BFF }, PTB_SYMBOL },
    { { 0x3000, 0x3000 }, PTB_SPACE },
    { { 0x3001, 0x3001 }, PTB_COMMA },
    { { 0x3002, 0x3002 }, PTB_STOP },
    { { 0x3012, 0x3012 }, PTB_SYMBOL },
    { { 0x30FB, 0x30FB }, PTB_SYMBOL },
    { { 0xFEFF, 0xFEFF }, PTB_IGNORED },
    { { 0xFF01, 0xFF0F }, PTB_SYMBOL },
    { { 0xFF1A, 0xFF20 }, PTB_SYMBOL },
    { { 0xFF3B, 0xFF40 }, PTB_SYMBOL },
    { { 0xFF5B, 0xFF65 }, PTB_SYMBOL },
    { { 0xFFE0, 0xFFE1 }, PTB_CURRENCY },
    { { 0xFFE5, 0xFFE6 }, PTB_CURRENCY },
};

static int compare(const void *key, const void *range)
{
    const uint32_t c = *(const uint32_t *)key;
    const limn_code_range *r = range;
    return c < r->first ? -1 : c > r->last;
}

static bool is_in(const limn_code_range *ranges, size_t n, uint32_t c)
{
    return bsearch(&c, ranges, n, sizeof *ranges, compare);
}

static unsigned char class_in_table(uint32_t c)
{
    const class_range *r = bsearch(&c, class_ranges, sizeof class_ranges / sizeof *class_ranges,
                                   sizeof *class_ranges, compare); /* its first member is a range */
    return r ? r->ptb_class : PTB_OTHER;
}

/* Cherokee had no case yet in the original's Unicode. */
static bool is_capital(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_LU &&
           (c < 0x13A0 || c > 0x13F5);
}

unsigned char limn_ptb_class_of(uint32_t c)
{
    if (c == 0) return PTB_IGNORED;
    if (limn_utf8_is_line_end(c)) return ' ';
    if (c < 0x7F) return (unsigned char)c;
    if (c > 0xFFFF) /* two UTF-16 units, neither of which is in any rule */
        return PTB_OTHER;
    if (is_in(limn_ptb_letters, limn_ptb_n_letters, c))
        return is_capital(c) ? PTB_CAPITAL : PTB_LETTER;
    if (is_in(limn_ptb_digits, limn_ptb_n_digits, c)) return PTB_DIGIT;
    return class_in_table(c);
}

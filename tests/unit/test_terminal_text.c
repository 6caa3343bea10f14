/* Harmless text: what is escaped, by ECMA-48 (C0, DEL, C1) and Unicode 15 (Bidi_Control, line
 * ends). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/text/terminal_text.h"
#include "common/text/utf8.h"

static void check(const char *text, size_t size, const char *expected)
{
    limn_buffer out = { 0 };
    limn_terminal_append(&out, text, size);
    assert_false(out.has_failed);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.bytes, expected, out.size);
    limn_buffer_finish(&out);
}

static void test_text(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "a\tb\n", "a\tb\n" },
        { "\x1b]0;title\a", "\\x1b]0;title\\x07" },
        { "a\rb\x7f", "a\\x0db\\x7f" },
        { "\xc2\x9b"
          "31m",
          "\\xc2\\x9b31m" }, /* CSI, as U+009B */
        { "\x9b"
          "31m",
          "\\x9b31m" },              /* and as a byte */
        { "\xe2\x9b", "\xe2\\x9b" }, /* truncated text that contains the byte */
        { "Stra\xc3\x9f"
          "e \xe2\x98\x83 \xf0\x9f\x90\x95",
          "Stra\xc3\x9f"
          "e \xe2\x98\x83 \xf0\x9f\x90\x95" },           /* bytes 0x80 … 0x9f inside characters */
        { "\xe9t\xe9", "\xe9t\xe9" },                    /* Latin-1 */
        { "gpj.\xe2\x80\xaex", "gpj.\\xe2\\x80\\xaex" }, /* right-to-left override */
        { "\xc2\xa0", "\xc2\xa0" },                      /* the first character after C1 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].text, strlen(cases[i].text), cases[i].expected);
    check("a\0b", 3, "a\\x00b");
    check("", 0, "");
}

/* Of all characters, exactly these are escaped. */
static void test_all_characters(void **state)
{
    static const struct {
        uint32_t first, last;
    } escaped[] = { { 0, 8 },           { 11, 31 },         { 0x7f, 0x9f },    { 0x61c, 0x61c },
                    { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 } };
    size_t next = 0;
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char text[4];
        limn_buffer out = { 0 };
        if (c >= 0xd800 && c < 0xe000) continue; /* surrogates are not characters */
        const size_t size = limn_utf8_encode(text, c);
        limn_terminal_append(&out, text, size);
        if (next < sizeof escaped / sizeof *escaped && c > escaped[next].last) next++;
        const int is_escaped = next < sizeof escaped / sizeof *escaped && c >= escaped[next].first;
        assert_int_equal(out.size, is_escaped ? 4 * size : size);
        limn_buffer_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text),
                                        cmocka_unit_test(test_all_characters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

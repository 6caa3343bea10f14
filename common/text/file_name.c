#include "common/text/file_name.h"

#include <string.h>

#include <utf8proc.h>

static const char escaped[] = "\\\t\n\r", letters[] = "\\tnr";

void limn_file_name_append_line(limn_buffer *out, const char *name)
{
    while (*name) {
        const size_t n_plain = strcspn(name, escaped);
        limn_buffer_append(out, name, n_plain);
        name += n_plain;
        if (*name) {
            limn_buffer_append(out, "\\", 1);
            limn_buffer_append(out, &letters[strchr(escaped, *name) - escaped], 1);
            name++;
        }
    }
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = c ? strchr(digits, c) : NULL;
    return digit ? (int)(digit - digits) : -1;
}

/* The byte that the escape at text [size bytes], after its backslash, stands for; *used is its
 * length. 0 when it is not an escape. */
static char unescape(const char *text, size_t size, size_t *used)
{
    const char *letter = size && *text ? strchr(letters, *text) : NULL;
    *used = 1;
    if (letter) return escaped[letter - letters];
    if (size < 3 || *text != 'x' || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0) return 0;
    *used = 3;
    return (char)(16 * hex_digit(text[1]) + hex_digit(text[2]));
}

bool limn_file_name_append_unescaped(limn_buffer *out, const char *text, size_t size)
{
    for (size_t at = 0, used; at < size; at += used) {
        const char *stop = memchr(text + at, '\\', size - at);
        char byte;
        used = (stop ? (size_t)(stop - text) : size) - at;
        limn_buffer_append(out, text + at, used);
        if (!stop) break;
        at += used + 1;
        byte = unescape(text + at, size - at, &used);
        if (!byte) return false;
        limn_buffer_append(out, &byte, 1);
    }
    return !memchr(text, '\0', size);
}

/* Bytes of the character at `name`; 0 when it is not valid UTF-8. */
static size_t character_size(const char *name)
{
    utf8proc_int32_t code;
    const utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)name, (utf8proc_ssize_t)strnlen(name, 4), &code);
    return n > 0 ? (size_t)n : 0;
}

bool limn_file_name_is_utf8(const char *name)
{
    size_t n = 1;
    for (; *name && n; name += n) n = character_size(name);
    return n > 0;
}

void limn_file_name_append_utf8(limn_buffer *out, const char *name)
{
    while (*name) {
        const size_t n = character_size(name);
        if (n)
            limn_buffer_append(out, name, n);
        else
            limn_buffer_printf(out, "\\x%02x", (unsigned char)*name);
        name += n ? n : 1;
    }
}

void limn_file_name_append_line_utf8(limn_buffer *out, const char *name)
{
    while (*name) {
        const size_t n = character_size(name);
        const char *letter = strchr(escaped, *name);
        if (!n)
            limn_buffer_printf(out, "\\x%02x", (unsigned char)*name);
        else if (letter)
            limn_buffer_printf(out, "\\%c", letters[letter - escaped]);
        else
            limn_buffer_append(out, name, n);
        name += n ? n : 1;
    }
}

void limn_file_name_append_hex(limn_buffer *out, const char *name)
{
    for (; *name; name++) limn_buffer_printf(out, "%02x", (unsigned char)*name);
}

bool limn_file_name_append_from_hex(limn_buffer *out, const char *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        const char byte = (char)(16 * high + low);
        if (high < 0 || low < 0 || !byte) return false;
        limn_buffer_append(out, &byte, 1);
    }
    return size % 2 == 0;
}

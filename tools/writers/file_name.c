#include "tools/writers/file_name.h"

#include <string.h>

#include <utf8proc.h>

void limn_file_name_append_line(limn_buffer *out, const char *name)
{
    static const char escaped[] = "\\\t\n\r", letters[] = "\\tnr";
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

/* Bytes of the character at `name`; 0 when it is not valid UTF-8. */
static size_t character_size(const char *name)
{
    utf8proc_int32_t code;
    const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)name,
                                                (utf8proc_ssize_t)strlen(name), &code);
    return n > 0 ? (size_t)n : 0;
}

bool limn_file_name_is_utf8(const char *name)
{
    size_t n = 1;
    for (; *name && n; name += n)
        n = character_size(name);
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

void limn_file_name_append_hex(limn_buffer *out, const char *name)
{
    for (; *name; name++)
        limn_buffer_printf(out, "%02x", (unsigned char)*name);
}

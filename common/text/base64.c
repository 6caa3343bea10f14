#include "common/text/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void limn_base64_append(limn_buffer *out, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i += 3) {
        const size_t n = size - i < 3 ? size - i : 3;
        const unsigned second = n > 1 ? bytes[i + 1] : 0, third = n > 2 ? bytes[i + 2] : 0;
        const unsigned group = (unsigned)bytes[i] << 16 | second << 8 | third;
        const char text[4] = { digits[group >> 18], digits[group >> 12 & 63],
                               n > 1 ? digits[group >> 6 & 63] : '=',
                               n > 2 ? digits[group & 63] : '=' };
        limn_buffer_append(out, text, sizeof text);
    }
}

/* 0 … 63; 64 for anything else. */
static unsigned value_of(char c)
{
    const char *digit = c ? strchr(digits, c) : NULL;
    return digit ? (unsigned)(digit - digits) : 64;
}

limn_status limn_base64_read(limn_buffer *out, const char *text, size_t size, limn_error *err)
{
    if (size % 4 != 0)
        return limn_fail(err, LIMN_E_FORMAT, "base64 of %zu characters, expected a multiple of 4",
                         size);
    for (size_t i = 0; i < size; i += 4) {
        const bool is_last = i + 4 == size;
        const size_t n_padding = !is_last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
        unsigned group = 0;
        for (size_t k = 0; k < 4; k++) {
            const unsigned value = k < 4 - n_padding ? value_of(text[i + k]) : 0;
            if (value > 63)
                return limn_fail(err, LIMN_E_FORMAT, "character %zu is not base64", i + k);
            group = group << 6 | value;
        }
        const unsigned char bytes[3] = { (unsigned char)(group >> 16),
                                         (unsigned char)(group >> 8 & 255),
                                         (unsigned char)(group & 255) };
        limn_buffer_append(out, bytes, 3 - n_padding);
    }
    if (out->has_failed) return limn_fail(err, LIMN_E_NOMEM, "out of memory");
    return LIMN_OK;
}

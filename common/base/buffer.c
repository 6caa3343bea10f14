#include "common/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* Room for `size` more bytes and a NUL. */
static bool make_room(limn_buffer *b, size_t size)
{
    size_t wanted;
    void *block = b->bytes;
    if (!limn_size_add(&wanted, b->size, size) || !limn_size_add(&wanted, wanted, 1) ||
        !limn_grow(&block, &b->capacity, wanted, 1))
        b->has_failed = true;
    b->bytes = block;
    return !b->has_failed;
}

void limn_buffer_append(limn_buffer *b, const void *bytes, size_t size)
{
    if (!make_room(b, size)) return;
    if (size) memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
    b->bytes[b->size] = '\0';
}

void limn_buffer_append_text(limn_buffer *b, const char *text)
{
    limn_buffer_append(b, text, strlen(text));
}

void limn_buffer_printf(limn_buffer *b, const char *fmt, ...)
{
    va_list ap;
    int size;
    va_start(ap, fmt);
    size = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (size < 0 || !make_room(b, (size_t)size)) {
        b->has_failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(b->bytes + b->size, (size_t)size + 1, fmt, ap);
    va_end(ap);
    b->size += (size_t)size;
}

void limn_buffer_clear(limn_buffer *b)
{
    b->size = 0;
    b->has_failed = false;
}

void limn_buffer_finish(limn_buffer *b)
{
    limn_free(b->bytes);
    *b = (limn_buffer){ 0 };
}

#include "common/text/text_buffer.h"

#include <string.h>

#include "common/base/mem.h"

void limn_text_finish(limn_text *text)
{
    limn_free(text->bytes);
    *text = (limn_text){ 0 };
}

void limn_text_clear(limn_text *text)
{
    text->size = 0;
    if (text->bytes) text->bytes[0] = '\0';
}

limn_status limn_text_reserve(limn_text *text, size_t size, limn_error *err)
{
    size_t needed, capacity = text->capacity ? text->capacity : 64;
    char *bytes;
    if (!limn_size_add(&needed, text->size, size) || !limn_size_add(&needed, needed, 1))
        return limn_fail(err, LIMN_E_NOMEM, "a text of %zu + %zu bytes is too large", text->size,
                         size);
    if (needed <= text->capacity) return LIMN_OK;
    while (capacity < needed) {
        if (!limn_size_mul(&capacity, capacity, 2)) capacity = needed;
    }
    bytes = limn_realloc(text->bytes, capacity, 1);
    if (!bytes)
        return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu bytes of text", capacity);
    if (!text->bytes) bytes[0] = '\0';
    text->bytes = bytes;
    text->capacity = capacity;
    return LIMN_OK;
}

limn_status limn_text_append(limn_text *text, const char *bytes, size_t size, limn_error *err)
{
    LIMN_TRY(limn_text_reserve(text, size, err));
    if (size > 0) memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
    return LIMN_OK;
}

limn_status limn_text_append_string(limn_text *text, const char *string, limn_error *err)
{
    return limn_text_append(text, string, strlen(string), err);
}

/* A growing, NUL-terminated run of bytes. */
#ifndef LIMN_COMMON_TEXT_TEXT_BUFFER_H
#define LIMN_COMMON_TEXT_TEXT_BUFFER_H

#include <stddef.h>

#include "common/base/status.h"

/* Zero-initialise; limn_text_finish frees. One thread at a time. */
typedef struct limn_text {
    char *bytes;     /* [size + 1], NUL at the end; NULL while nothing was ever appended */
    size_t size;     /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
} limn_text;

void limn_text_finish(limn_text *text); /* accepts a zeroed text */
/* Empties it and keeps the memory. */
void limn_text_clear(limn_text *text);
/* Makes room for `size` more bytes. LIMN_E_NOMEM. */
limn_status limn_text_reserve(limn_text *text, size_t size, limn_error *err);
/* `bytes` must not lie in `text`. LIMN_E_NOMEM, and `text` is as before. */
limn_status limn_text_append(limn_text *text, const char *bytes, size_t size, limn_error *err);
limn_status limn_text_append_string(limn_text *text, const char *string, limn_error *err);

#endif

/* A growing byte buffer, for text and records. Zero-initialise; not thread-safe. */
#ifndef LIMN_COMMON_BASE_BUFFER_H
#define LIMN_COMMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

typedef struct limn_buffer {
    char *bytes; /* [size], and a NUL after them once something was appended */
    size_t size, capacity;
    bool has_failed; /* an allocation failed: the bytes are incomplete; check once, at the end */
} limn_buffer;

void limn_buffer_append(limn_buffer *b, const void *bytes, size_t size);
void limn_buffer_append_text(limn_buffer *b, const char *text);
void limn_buffer_printf(limn_buffer *b, const char *fmt, ...) LIMN_PRINTF(2, 3);
/* Empties it and forgets a failure; keeps the memory. */
void limn_buffer_clear(limn_buffer *b);
void limn_buffer_finish(limn_buffer *b); /* accepts a zeroed buffer; zeroes it */

#endif

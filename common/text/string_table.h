/* Different strings, numbered from 0 in the order in which they were first added. */
#ifndef LIMN_COMMON_TEXT_STRING_TABLE_H
#define LIMN_COMMON_TEXT_STRING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/status.h"

/* Zero-initialise; limn_string_table_finish frees. Adding is for one thread at a time; a table that
 * is no longer added to may be read by many. */
typedef struct limn_string_table {
    limn_buffer bytes; /* the strings, each with a NUL after it */
    size_t *offsets;   /* [n_strings] where each begins in `bytes` */
    size_t n_strings, capacity;
    uint32_t *slots; /* [n_slots], a power of two, at most half in use: number + 1, or 0 */
    size_t n_slots;
} limn_string_table;

void limn_string_table_finish(limn_string_table *t); /* accepts a zeroed table; zeroes it */

/* The number of `string` [size bytes, no NUL among them], added when it is new. LIMN_E_NOMEM;
 * LIMN_E_LIMIT beyond 2^31 strings. */
limn_status limn_string_table_add(uint32_t *number, limn_string_table *t, const char *string,
                                  size_t size, limn_error *err);
/* False when the string was never added. */
bool limn_string_table_find(uint32_t *number, const limn_string_table *t, const char *string,
                            size_t size);
/* NUL-terminated; valid until the next addition. number < n_strings */
const char *limn_string_table_get(const limn_string_table *t, uint32_t number);

#endif

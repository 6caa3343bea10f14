/* Text as an array of Unicode code points, for rules about characters and their neighbours. */
#ifndef LIMN_COMMON_TEXT_CODE_POINTS_H
#define LIMN_COMMON_TEXT_CODE_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* Zero-initialise; limn_code_points_finish frees. One thread at a time. */
typedef struct limn_code_points {
    uint32_t *items; /* [n_items] */
    size_t n_items, capacity;
    bool has_failed; /* an allocation failed: items are missing; check once at the end */
} limn_code_points;

void limn_code_points_finish(limn_code_points *c); /* accepts a zeroed struct; zeroes it */
/* Empties it and forgets a failure; keeps the memory. */
void limn_code_points_clear(limn_code_points *c);

void limn_code_points_put(limn_code_points *out, uint32_t code_point);
void limn_code_points_put_ascii(limn_code_points *out, const char *text);
/* Appends UTF-8 [size bytes]. LIMN_E_FORMAT where it is not. */
limn_status limn_code_points_put_utf8(limn_code_points *out, const char *text, size_t size,
                                      limn_error *err);

#endif

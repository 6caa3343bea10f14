/* Names with a count each: those that are done already. One thread at a time. */
#ifndef LIMN_TOOLS_ANNOTATE_JOURNAL_NAME_SET_H
#define LIMN_TOOLS_ANNOTATE_JOURNAL_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text/string_table.h"

typedef struct limn_name_set {
    limn_string_table names;
    uint32_t *counts; /* [names.n_strings] */
    size_t capacity;
} limn_name_set; /* zero-initialise */

void limn_name_set_finish(limn_name_set *set); /* accepts a zeroed set; zeroes it */

/* One more of `name` [size bytes]. LIMN_E_NOMEM, LIMN_E_LIMIT (2^31 names). */
limn_status limn_name_set_add(limn_name_set *set, const char *name, size_t size, limn_error *err);
bool limn_name_set_has(const limn_name_set *set, const char *name);
/* One less of `name`; false when none is left. */
bool limn_name_set_take(limn_name_set *set, const char *name);

#endif

/* Which image an output's name belongs to: two must not have one. One thread at a time. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_NAME_OWNERS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_NAME_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"
#include "common/text/string_table.h"

typedef struct limn_name_owners {
    limn_string_table names, images;
    uint32_t *owners; /* [names.n_strings] numbers in `images` */
    size_t capacity;
} limn_name_owners; /* zero-initialise */

/* Gives `name` to `image`, unless it has an owner: *owner, valid until the next call.
 * LIMN_E_NOMEM, LIMN_E_LIMIT (2^31 names). */
limn_status limn_name_owners_claim(limn_name_owners *o, const char *name, const char *image,
                                   const char **owner, limn_error *err);
bool limn_name_owners_has(const limn_name_owners *o, const char *name);
void limn_name_owners_finish(limn_name_owners *o); /* accepts a zeroed one; zeroes it */

#endif

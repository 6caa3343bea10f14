/* All members of an uncompressed zip archive in memory. */
#ifndef LIMN_COMMON_IO_ZIP_MEMBERS_H
#define LIMN_COMMON_IO_ZIP_MEMBERS_H

#include <stddef.h>

#include "common/base/status.h"

#define LIMN_ZIP_MAX_MEMBERS 100000

typedef struct limn_zip_member {
    char *name;
    const unsigned char *bytes; /* [size], in the archive's own bytes where they stand there */
    size_t size;
    unsigned char *copy; /* of them, otherwise; owned */
} limn_zip_member;

typedef struct limn_zip_members {
    limn_zip_member *items; /* [n_items], sorted by name */
    size_t n_items;
} limn_zip_members;

/* Reads the archive in bytes [size], which must outlive the result. Together the members may not be
 * larger than the archive, which stored ones never are: a compressed bomb is LIMN_E_LIMIT.
 * LIMN_E_FORMAT (damaged; two members of one name), LIMN_E_TRUNCATED, LIMN_E_NOMEM. */
limn_status limn_zip_members_read(limn_zip_members *out, const void *bytes, size_t size,
                                  limn_error *err);
void limn_zip_members_finish(limn_zip_members *m); /* accepts a zeroed struct */

/* NULL when there is none of that name. */
const limn_zip_member *limn_zip_members_find(const limn_zip_members *m, const char *name);

#endif

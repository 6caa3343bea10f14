/* Which image each output is for, to find two images that would share one: for sidecars and for
 * members of a tar. 24 bytes per output. One thread at a time. */
#ifndef LIMN_TOOLS_ANNOTATE_SINKS_OUTPUT_OWNERS_H
#define LIMN_TOOLS_ANNOTATE_SINKS_OUTPUT_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* Identifies an output: a 128-bit hash of its location and its name. */
typedef struct limn_output_key {
    uint64_t bits[2];
} limn_output_key;

typedef struct limn_output_owner {
    limn_output_key output;
    uint64_t image; /* any number that is unique to the image */
} limn_output_owner;

typedef struct limn_output_owners {
    limn_output_owner *items; /* [n_items] */
    size_t n_items, capacity;
} limn_output_owners; /* zero-initialise */

/* `place` is [place_size] bytes. */
limn_output_key limn_output_key_of(const void *place, size_t place_size, const char *name);
int limn_output_key_compare(limn_output_key a, limn_output_key b); /* <0, 0, >0 */

limn_status limn_output_owners_add(limn_output_owners *o, limn_output_owner owner,
                                   limn_error *err); /* LIMN_E_NOMEM */
/* Sorts by outputs, then by images; required by the functions below. */
void limn_output_owners_sort(limn_output_owners *o);
/* Whether another image has the output of item `i`. */
bool limn_output_owners_is_shared(const limn_output_owners *o, size_t i);
bool limn_output_owners_any_shared(const limn_output_owners *o);
bool limn_output_owners_has(const limn_output_owners *o, limn_output_owner owner);
/* Whether the owner is among the items and another image has its output. */
bool limn_output_owners_has_rival(const limn_output_owners *o, limn_output_owner owner);
/* Takes out the owners that are in `others`, which is sorted too. */
void limn_output_owners_remove(limn_output_owners *o, const limn_output_owners *others);
void limn_output_owners_finish(limn_output_owners *o); /* accepts a zeroed one; zeroes it */

#endif

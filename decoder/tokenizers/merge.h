/* Byte pair encoding: a text starts as short symbols, and adjacent pairs are merged in order of
 * priority until no pair can be. A callback says which pairs may be merged, and with what
 * priority. */
#ifndef LIMN_DECODER_TOKENIZERS_MERGE_H
#define LIMN_DECODER_TOKENIZERS_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

typedef struct limn_symbol {
    const char *text; /* [size], right after that of the symbol before; borrowed */
    size_t size;
    uint32_t token; /* or LIMN_NO_TOKEN */
    bool is_fixed;  /* is never merged */
} limn_symbol;

/* Whether two neighbours may be merged, into what, and when: smaller values first. */
typedef bool limn_merge_fn(const void *ctx, const limn_symbol *left, const limn_symbol *right,
                           uint32_t *token, double *order);

/* Merges symbols [*n] in place; of pairs with equal priority, the leftmost first. O(n log n).
 * LIMN_E_NOMEM. */
limn_status limn_merge(limn_symbol *symbols, size_t *n, limn_merge_fn *may_merge, const void *ctx,
                       limn_error *err);

#endif

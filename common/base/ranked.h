/* Short sorted lists, best item first; ties keep their order of insertion. */
#ifndef LIMN_COMMON_BASE_RANKED_H
#define LIMN_COMMON_BASE_RANKED_H

#include <stdbool.h>
#include <stddef.h>

/* Whether item a goes before item b: only if it is better, not as good. */
typedef bool limn_better_fn(const void *a, const void *b);

/* Inserts a copy of `item` into the sorted `items` [*n] of at most `max` (>= 1). If the list is
 * full, the last item is dropped; false if that is `item` itself. `item` must not point into
 * `items`. */
bool limn_ranked_insert(void *items, size_t *n, size_t max, size_t item_size, const void *item,
                        limn_better_fn *is_better);

enum { LIMN_RANKED_MAX_ITEM = 256 }; /* bytes */
/* Sorts items [n] of at most LIMN_RANKED_MAX_ITEM bytes; for few of them. */
void limn_ranked_sort(void *items, size_t n, size_t item_size, limn_better_fn *is_better);

#endif

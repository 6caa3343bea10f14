#include "common/base/ranked.h"

#include <assert.h>
#include <string.h>

bool limn_ranked_insert(void *items, size_t *n, size_t max, size_t item_size, const void *item,
                        limn_better_fn *is_better)
{
    char *list = items;
    size_t at = *n;
    while (at > 0 && is_better(item, list + (at - 1) * item_size)) at--;
    if (at == max) return false;
    if (*n < max) ++*n;
    memmove(list + (at + 1) * item_size, list + at * item_size, (*n - 1 - at) * item_size);
    memcpy(list + at * item_size, item, item_size);
    return true;
}

void limn_ranked_sort(void *items, size_t n, size_t item_size, limn_better_fn *is_better)
{
    unsigned char item[LIMN_RANKED_MAX_ITEM];
    assert(item_size <= sizeof item);
    for (size_t i = 1, n_sorted = 1; i < n; i++) {
        memcpy(item, (char *)items + i * item_size, item_size);
        limn_ranked_insert(items, &n_sorted, i + 1, item_size, item, is_better);
    }
}

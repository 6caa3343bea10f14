#include "common/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"

void limn_arena_init_counting(limn_arena *a)
{
    *a = (limn_arena){ .size = SIZE_MAX };
}

bool limn_arena_init(limn_arena *a, size_t size)
{
    *a = (limn_arena){ .base = limn_alloc_aligned(size, 1), .size = size };
    return a->base != NULL;
}

void limn_arena_finish(limn_arena *a)
{
    limn_free(a->base);
    *a = (limn_arena){ 0 };
}

void *limn_arena_take(limn_arena *a, size_t n_items, size_t item_size)
{
    size_t bytes, end;
    if (!limn_size_mul(&bytes, n_items, item_size) ||
        !limn_size_add(&bytes, bytes, LIMN_ALIGNMENT - 1) ||
        !limn_size_add(&end, a->used, bytes - bytes % LIMN_ALIGNMENT) || end > a->size) {
        a->has_failed = true;
        return NULL;
    }
    unsigned char *block = a->base ? a->base + a->used : NULL;
    a->used = end;
    if (end > a->high) a->high = end;
    return block;
}

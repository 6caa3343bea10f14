/* A bump allocator for all scratch memory of one worker, allocated once.
 *
 * The same code that uses the memory first walks through a counting arena
 * (limn_arena_init_counting), so the planned size and the use cannot drift apart:
 *
 *     limn_arena a;
 *     limn_arena_init_counting(&a);
 *     plan(&a);                        // limn_arena_take returns NULL here
 *     limn_arena_init(&a, a.high);
 *     plan(&a);                        // the same calls, now with memory
 *
 * Not thread-safe: one arena belongs to one worker. */
#ifndef LIMN_COMMON_BASE_ARENA_H
#define LIMN_COMMON_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct limn_arena {
    unsigned char *base; /* NULL while counting */
    size_t size;         /* bytes at base; SIZE_MAX while counting */
    size_t used;
    size_t high;     /* the largest `used` so far */
    bool has_failed; /* a take did not fit or overflowed */
} limn_arena;

void limn_arena_init_counting(limn_arena *a);
/* False when memory is short. */
bool limn_arena_init(limn_arena *a, size_t size);
void limn_arena_finish(limn_arena *a); /* accepts a zeroed arena */

/* n_items * item_size bytes at LIMN_ALIGNMENT, not initialised. NULL while counting,
 * and when it does not fit (has_failed is then set). */
void *limn_arena_take(limn_arena *a, size_t n_items, size_t item_size);

#endif

/* Allocation with overflow-checked sizes. Byte counts that depend on a file or a caller are
 * computed only here. Thread-safe. */
#ifndef LIMN_COMMON_BASE_MEM_H
#define LIMN_COMMON_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#define LIMN_ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* *out = a * b or a + b; false (and *out untouched) when that overflows. */
bool limn_size_mul(size_t *out, size_t a, size_t b);
bool limn_size_add(size_t *out, size_t a, size_t b);

/* n_items * item_size bytes; NULL on overflow or when memory is short. Never NULL for zero bytes.
 * Free with limn_free(). */
void *limn_alloc(size_t n_items, size_t item_size);
void *limn_calloc(size_t n_items, size_t item_size);
/* As limn_alloc, aligned to LIMN_ALIGNMENT. Also freed with limn_free(). */
void *limn_alloc_aligned(size_t n_items, size_t item_size);
/* Grows or shrinks a block of limn_alloc/limn_calloc; on NULL the old block stays valid. */
void *limn_realloc(void *block, size_t n_items, size_t item_size);
/* Grows `*block` of `*capacity` items, by doubling, to at least n_items. False, with nothing
 * changed, on overflow or when memory is short. */
bool limn_grow(void **block, size_t *capacity, size_t n_items, size_t item_size);
char *limn_strdup(const char *text);
char *limn_strndup(const char *text, size_t size);
void limn_free(void *block); /* accepts NULL */
/* Zeroed pages that take no memory until they are touched; NULL when that many addresses can't be
 * had. Free with limn_free_pages of the same size. */
void *limn_reserve_pages(size_t size);
void limn_free_pages(void *pages, size_t size); /* accepts NULL */
/* Returns the whole pages of a part of a block to the system, if possible; their contents become
 * undefined. The block must still be freed. */
void limn_discard_pages(void *part, size_t size);

#endif

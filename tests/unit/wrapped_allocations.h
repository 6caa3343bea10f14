/* malloc and its relatives as the linker (--wrap) gives them to a test and the library linked into
 * it: counted, and failing on request. To be included by a program's only source. Shared libraries
 * keep their own. */
#ifndef LIMN_TESTS_UNIT_WRAPPED_ALLOCATIONS_H
#define LIMN_TESTS_UNIT_WRAPPED_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of allocations so far, and how many more will succeed; SIZE_MAX: all. */
static size_t n_allocations, n_until_failure = SIZE_MAX;

static bool may_allocate(void)
{
    n_allocations++;
    return n_until_failure == SIZE_MAX || n_until_failure-- > 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *block, size_t size)
{
    return may_allocate() ? __real_realloc(block, size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return may_allocate() ? __real_aligned_alloc(alignment, size) : NULL;
}

#endif

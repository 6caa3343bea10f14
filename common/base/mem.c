#define _GNU_SOURCE /* madvise */
#include "common/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool limn_size_mul(size_t *out, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

bool limn_size_add(size_t *out, size_t a, size_t b)
{
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

void *limn_alloc(size_t n_items, size_t item_size)
{
    size_t size;
    if (!limn_size_mul(&size, n_items, item_size)) return NULL;
    return malloc(size ? size : 1);
}

void *limn_calloc(size_t n_items, size_t item_size)
{
    if (n_items == 0 || item_size == 0) return calloc(1, 1);
    return calloc(n_items, item_size);
}

void *limn_alloc_aligned(size_t n_items, size_t item_size)
{
    size_t size;
    if (!limn_size_mul(&size, n_items, item_size) ||
        !limn_size_add(&size, size, LIMN_ALIGNMENT - 1))
        return NULL;
    size -= size % LIMN_ALIGNMENT;
    return aligned_alloc(LIMN_ALIGNMENT, size ? size : LIMN_ALIGNMENT);
}

void *limn_realloc(void *block, size_t n_items, size_t item_size)
{
    size_t size;
    if (!limn_size_mul(&size, n_items, item_size)) return NULL;
    return realloc(block, size ? size : 1);
}

char *limn_strndup(const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? limn_alloc(size + 1, 1) : NULL;
    if (!copy) return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

bool limn_grow(void **block, size_t *capacity, size_t n_items, size_t item_size)
{
    size_t wanted = *capacity ? *capacity : 16;
    void *larger;
    if (n_items <= *capacity) return true;
    while (wanted < n_items)
        if (!limn_size_mul(&wanted, wanted, 2)) return false;
    larger = limn_realloc(*block, wanted, item_size);
    if (!larger) return false;
    *block = larger;
    *capacity = wanted;
    return true;
}

char *limn_strdup(const char *text)
{
    return limn_strndup(text, strlen(text));
}

void limn_free(void *block)
{
    free(block);
}

void *limn_reserve_pages(size_t size)
{
    void *p = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void limn_free_pages(void *pages, size_t size)
{
    if (pages) munmap(pages, size ? size : 1);
}

void limn_discard_pages(void *part, size_t size)
{
#ifdef MADV_DONTNEED
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)part;
    const uintptr_t skipped = (page - from % page) % page;
    if (size < skipped + page) return;
    (void)madvise((char *)part + skipped, (size - skipped) / page * page, MADV_DONTNEED);
#else
    (void)part;
    (void)size;
#endif
}

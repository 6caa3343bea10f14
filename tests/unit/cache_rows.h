/* Rows of caches as pointers: each is valid until the second call after it. */
#ifndef LIMN_TESTS_UNIT_CACHE_ROWS_H
#define LIMN_TESTS_UNIT_CACHE_ROWS_H

#include "models/train/row_cache.h"

static inline const void *row_of(const limn_row_cache *c, size_t row)
{
    static _Alignas(64) unsigned char rows[2][1 << 20];
    static int next;
    unsigned char *out = rows[next ^= 1];
    assert_true(c->row_size <= sizeof rows[0]);
    assert_int_equal(limn_row_cache_read(c, row, out, NULL), LIMN_OK);
    return out;
}

#endif

/* What the int8 products of all levels share: rows are quantised block by block, a few at a time,
 * and read in fours of inputs. */
#ifndef LIMN_COMMON_KERNELS_X86_INT8_ROWS_H
#define LIMN_COMMON_KERNELS_X86_INT8_ROWS_H

#if defined(__SSE4_1__)

#include <string.h>

#include "common/kernels/int8.h"
#include "common/kernels/pack.h"
#include "common/kernels/x86/unroll.h"

enum { N_QUADS = LIMN_INT8_BLOCK / 4, QUAD_BYTES = 4 * LIMN_PANEL };

/* Four inputs as one lane. */
INLINE int32_t four_of(const int8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return four;
}

/* Each level has its own (quantize_avx2.h, quantize_sse41.h). */
INLINE void quantize_block(limn_int8_block *block, const float *from);

INLINE void quantize_row(limn_int8_block *blocks, const float *x, size_t n)
{
    float last[LIMN_INT8_BLOCK] = { 0 };
    for (; n >= LIMN_INT8_BLOCK; n -= LIMN_INT8_BLOCK, x += LIMN_INT8_BLOCK)
        quantize_block(blocks++, x);
    if (n == 0) return;
    memcpy(last, x, n * sizeof *x);
    quantize_block(blocks, last);
}

/* How many of n_rows rows are quantised at a time. */
INLINE size_t rows_at_a_time(size_t n_rows, size_t n_blocks)
{
    const size_t n = n_blocks > 0 ? LIMN_INT8_BLOCKS_AT_A_TIME / n_blocks : n_rows;
    return n < n_rows ? n : n_rows;
}

#endif

#endif

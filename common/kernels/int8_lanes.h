/* The layout of int8 weights in panels: [n_blocks][8][16][4] bytes, where byte [b][i][o][j] is q +
 * 128 of output o and of input 4 * i + j of block b. For pack.c. */
#ifndef LIMN_COMMON_KERNELS_INT8_LANES_H
#define LIMN_COMMON_KERNELS_INT8_LANES_H

#include "common/kernels/int8.h"
#include "common/kernels/panel.h"

enum { LIMN_INT8_BLOCK_BYTES = LIMN_INT8_BLOCK * LIMN_PANEL };
enum { LIMN_INT8_ZERO = 128 }; /* the byte of a weight of zero */

/* Where the weight of an input is in the bytes of a panel. */
static inline size_t limn_int8_place(size_t input, size_t lane)
{
    return input / 4 * (size_t)(4 * LIMN_PANEL) + lane * 4 + input % 4;
}

/* Sets every weight to zero. */
void limn_int8_clear(uint8_t *panels, size_t n_panels, size_t n_inputs);
/* Writes one output's weights q [n_inputs] into its panel. */
void limn_int8_put_lane(uint8_t *panel, size_t lane, const int8_t *q, size_t n_inputs);
/* The inverse: reads one output's weights [n_inputs], times `scale`. */
void limn_int8_get_lane(float *weights, const uint8_t *panel, size_t lane, size_t n_inputs,
                        float scale);

#endif

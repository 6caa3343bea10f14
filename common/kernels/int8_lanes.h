/* How int8 weights lie in panels: [n_blocks][8][16][4] bytes, which are q + 128 of output [16] and
 * of input 4 * [8] + [4] of the block. For pack.c. */
#ifndef LIMN_COMMON_KERNELS_INT8_LANES_H
#define LIMN_COMMON_KERNELS_INT8_LANES_H

#include "common/kernels/int8.h"
#include "common/kernels/panel.h"

enum { LIMN_INT8_BLOCK_BYTES = LIMN_INT8_BLOCK * LIMN_PANEL };

/* Zeros everywhere. */
void limn_int8_clear(uint8_t *panels, size_t n_panels, size_t n_inputs);
/* One output's weights q [n_inputs] into its panel. */
void limn_int8_put_lane(uint8_t *panel, size_t lane, const int8_t *q, size_t n_inputs);
/* And back: weights [n_inputs] times `scale`. */
void limn_int8_get_lane(float *weights, const uint8_t *panel, size_t lane, size_t n_inputs,
                        float scale);

#endif

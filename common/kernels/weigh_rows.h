/* Weighted sums of rows of bytes, in fixed point: the vertical pass of resizing. Integers, so that
 * every CPU level gives the same. */
#ifndef LIMN_COMMON_KERNELS_WEIGH_ROWS_H
#define LIMN_COMMON_KERNELS_WEIGH_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum { LIMN_WEIGH_BITS = 22 }; /* of a weight, after the point */

/* out[j] for j < n: the sum over t < n_weights of weights[t] * rows[t * n + j], rounded (halves up)
 * and clipped to 0 … 255. The sum must stay below 2^31 in size. */
typedef void limn_weigh_rows_fn(uint8_t *out, const uint8_t *rows, const int32_t *weights,
                                size_t n_weights, size_t n);

limn_weigh_rows_fn limn_weigh_rows_c, limn_weigh_rows_avx2;

/* The fastest that runs here. */
limn_weigh_rows_fn *limn_weigh_rows_choose(void);

#endif

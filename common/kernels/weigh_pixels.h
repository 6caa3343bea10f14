/* Weighted sums of neighbouring pixels, in fixed point: the horizontal pass of resizing. Integers,
 * so that every CPU level gives the same. */
#ifndef LIMN_COMMON_KERNELS_WEIGH_PIXELS_H
#define LIMN_COMMON_KERNELS_WEIGH_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/* For each row, output i < n_out and colour c < 3, the sum over t < n_taps[i] of
 *
 *     weights[i * stride + t] * in[(first[i] + t) * 3 + c]
 *
 * rounded (halves up) and clipped to 0 … 255. Weights have LIMN_WEIGH_BITS (weigh_rows.h) after the
 * point and are below 2^26 in size, sums below 2^31. 1 <= n_taps[i] <= stride. first[i] and
 * first[i] + n_taps[i] (at most n_in) never decrease with i. */
typedef struct limn_weigh_pixels_job {
    uint8_t *out;      /* [n_rows, n_out, 3] */
    const uint8_t *in; /* [n_rows, n_in, 3] */
    size_t n_rows, n_in, n_out, stride;
    const uint32_t *first, *n_taps; /* [n_out] */
    const int32_t *weights;         /* [n_out, stride] */
} limn_weigh_pixels_job;

typedef void limn_weigh_pixels_fn(const limn_weigh_pixels_job *job);

limn_weigh_pixels_fn limn_weigh_pixels_c, limn_weigh_pixels_avx512;

/* The fastest that runs here. */
limn_weigh_pixels_fn *limn_weigh_pixels_choose(void);

#endif

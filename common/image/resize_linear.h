/* Resizing as OpenCV's cv::resize does it with INTER_LINEAR on 8-bit RGB (version 4, its own code):
 * two source pixels an axis, whatever the scale, so that nothing is antialiased; weights in fixed
 * point of 11 bits, the vertical pass in 16-bit arithmetic. What resize.h calls "linear". */
#ifndef LIMN_COMMON_IMAGE_RESIZE_LINEAR_H
#define LIMN_COMMON_IMAGE_RESIZE_LINEAR_H

#include <stdint.h>

/* One axis: outputs n_skipped … n_skipped + n_out - 1 of the n_whole that the part from … to of
 * n_in source pixels becomes. */
typedef struct limn_linear_axis {
    uint32_t n_in, n_out, n_whole, n_skipped;
    float from, to;
} limn_linear_axis;

/* dst [y->n_out, x->n_out, 3] from src [y->n_in, x->n_in, 3], dense. */
void limn_resize_linear(uint8_t *dst, const uint8_t *src, const limn_linear_axis *x,
                        const limn_linear_axis *y);

#endif

/* The first layer of a network: pixels in, a 3x3 convolution of stride 2 with TensorFlow's SAME
 * padding, as patches for the linear kernel:
 *
 *     u8 [n, n, 3] ─▶ (value - mean[c]) * scale[c], zero-padded ─▶ patches [m, m, 27]
 *
 * with m = ceil(n / 2).
 *
 * A patch holds rows, columns and colours of its window in this order (ky, kx, c), and so do the
 * weights. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_STEM_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_STEM_H

#include <stdint.h>

#include "common/base/arena.h"

#define LIMN_STEM_PATCH 27

typedef struct limn_stem {
    size_t input_size, output_size; /* n, m */
    size_t n_before;                /* zeros before a row or column of pixels */
    float mean[3], scale[3];
} limn_stem;

/* Scratch for one image; `pixels` is set for each. */
typedef struct limn_stem_scratch {
    float *row;     /* [n + 2, 3]: a row of the image, normalised, and zeros around it */
    float *patches; /* [max_rows, m, 27] */
    const uint8_t *pixels;
    const limn_stem *stem;
} limn_stem_scratch;

void limn_stem_plan(limn_stem *stem, size_t input_size, const float mean[3], const float scale[3]);
void limn_stem_scratch_take(limn_stem_scratch *s, limn_arena *arena, const limn_stem *stem,
                            size_t max_rows);

/* w [n_outputs, 3, 3, 3] (out, colour, ky, kx) in the order of patches. */
void limn_stem_order(float *out, const float *w, size_t n_outputs);

/* Patches of output rows first … end-1, at most max_rows, as limn_mbconv_input.rows: `scratch` is a
 * limn_stem_scratch. */
const float *limn_stem_rows(void *scratch, size_t first, size_t end);

#endif

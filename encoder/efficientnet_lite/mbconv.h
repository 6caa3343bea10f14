/* One inverted bottleneck of a MobileNet-like network (Sandler et al. 2018), square maps, channels
 * last:
 *
 *     x [n, n, C] ─ expand 1x1, ReLU6 ─▶ [n, n, E] ─ depthwise k x k, ReLU6 ─▶ [m, m, E]
 *                 ─ project 1x1 ─▶ (+ x) ─▶ y [m, m, D],        m = ceil(n / stride)
 *
 * with TensorFlow's SAME padding: max((m-1)*stride + k - n, 0) zeros around the expanded map, of
 * which half, rounded down, come before it.
 *
 * The expanded maps are the large ones (4.8 MB at 112 x 112 x 96), so they never exist as a whole.
 * The block is computed in strips of output rows, and in a strip by groups of 32 expanded channels:
 *
 *     for each strip
 *         for each group   expand the input rows that the strip needs and the last one did not
 *                          into a ring of zero-padded rows; filter the strip's rows from there
 *         project the strip
 *
 * With int8 weights, input rows become codes (common/kernels/codes.h) once for all groups, expanded
 * maps stay floats, and the depthwise convolution writes the strip as codes.
 *
 * A small map is a single strip; no ring row outlives its group then, and all groups share one
 * buffer that fits the L1 cache. The threads of one image split groups, and positions of the
 * projection, among themselves; no sum is ever split, so the bits stay the same. */
#ifndef LIMN_ENCODER_EFFICIENTNET_LITE_MBCONV_H
#define LIMN_ENCODER_EFFICIENTNET_LITE_MBCONV_H

#include "common/base/arena.h"
#include "common/base/pool.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"
#include "encoder/efficientnet_lite/efficientnet_lite_shape.h"

typedef struct limn_mbconv {
    limn_mbconv_shape shape;
    limn_packed expand;  /* [E, C]; for what its input rows are, see limn_mbconv_input */
    limn_filter filter;  /* of E channels */
    limn_packed project; /* [D, E] */
    size_t n_groups;
    size_t input_size, output_size; /* n, m */
    size_t n_before, padded_size;   /* zeros before a row; length of a row with all of them */
    size_t strip_rows;              /* output rows of a strip */
    size_t ring_rows;               /* padded rows kept for each group */
    size_t filtered_stride;         /* floats between positions of the filtered strip */
} limn_mbconv;

/* Scratch memory of the largest block. */
typedef struct limn_mbconv_scratch {
    float *ring;       /* [n_groups or 1, ring_rows, padded_size, 32] */
    float *filtered;   /* [strip_rows, m, E] at filtered_stride; or codes, at as many codes */
    size_t *positions; /* [ring_rows * n] where an expanded position goes in its ring */
    uint8_t *
        codes; /* [ring_rows * n, LIMN_CODES_PADDED(C)]: the new input rows, or those of the head */
    float *steps; /* [ring_rows * n], of codes */
} limn_mbconv_scratch;

/* Where input rows come from: a map, or a preceding layer that computes them on demand. */
typedef struct limn_mbconv_input {
    /* Rows `first` … `end`-1 as [rows, n, expand.n_inputs] at `stride` floats a position, valid
     * until the next call. Rows are asked for once, in order. */
    const float *(*rows)(void *ctx, size_t first, size_t end);
    void *ctx;
    size_t stride;
} limn_mbconv_input;

/* Fills the geometry of `b` from its shape and the size of its input map. */
void limn_mbconv_plan(limn_mbconv *b, const limn_mbconv_shape *shape, size_t input_size);
/* Scratch for any of the blocks, from `arena` (which may be counting); codes and steps for the map
 * after the last block too, the head's input. */
void limn_mbconv_scratch_take(limn_mbconv_scratch *s, limn_arena *arena, const limn_mbconv *blocks,
                              size_t n_blocks);

/* y [m, m, D] of the block; `residual` [m, m, D] is added (NULL: nothing) and may be y. If input
 * rows come from y, they must be of a block with stride 1 and as many outputs as inputs. */
void limn_mbconv_run(const limn_mbconv *b, const limn_kernels *k, limn_pool *pool,
                     const limn_mbconv_scratch *s, const limn_mbconv_input *input,
                     const float *residual, float *y);

#endif

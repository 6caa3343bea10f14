/* int8 weights and activations: the quantisation rule, version LIMN_INT8_RULE. codes.h has the rest
 * of it: how the blocks of convolutional networks are computed.
 *
 * Weights have a scale for each output: with m = max |w[o][k]| over k,
 *
 *     scale[o] = m / 127,  q[o][k] = round to nearest even of w[o][k] * (127 / m)
 *
 * Activations are quantised on the fly, in blocks of LIMN_INT8_BLOCK inputs of a row, so that a
 * channel with large values costs only its own block precision: with m = max |x[k]| over the block,
 *
 *     scale = m / 127,  q[k] = round to nearest even of x[k] * (127 / m)
 *
 * where m < LIMN_INT8_LEAST gives a block of zeros with scale 0, and a value that isn't finite
 * gives a block of zeros whose scale is NaN, so that the outputs are NaN. The product (kernels.h)
 * sums within a block in integers, which is exact in any order, and across blocks in floats, in
 * order:
 *
 *     acc = 0; for each block b in order: acc = fma(float(sum over k of q_x[k] * q_w[o][k]),
 *                                                   scale_x[b], acc)
 *     acc = fma(acc, scale[o], bias[o])
 *
 * Both factors are in -127 … 127. A block's sum is at most 32 * 127 * 127 < 2^20: exact as a float.
 * No intermediate saturates: SSE4.1's maddubs adds two products of |q_w| and ±q_x, at most 32,258
 * in size, to 16 bits; AVX2's pmaddwd adds two of words, and dot products of VNNI and NEON four of
 * bytes, to 32 bits. */
#ifndef LIMN_COMMON_KERNELS_INT8_H
#define LIMN_COMMON_KERNELS_INT8_H

#include <stddef.h>
#include <stdint.h>

#define LIMN_INT8_RULE 2
#define LIMN_INT8_BLOCK 32
#define LIMN_INT8_LEAST 1e-30f

/* One block of a row of activations. */
typedef struct limn_int8_block {
    int8_t q[LIMN_INT8_BLOCK];
    float scale;
    int32_t offset; /* -128 * sum of q: corrects for weights stored as q + 128 */
} limn_int8_block;

/* Blocks of a row of n inputs. */
size_t limn_int8_n_blocks(size_t n);

/* Quantises the weights w [n] of one output; returns their scale. */
float limn_int8_quantize_weights(int8_t *q, const float *w, size_t n);

/* Quantises a row x [n] into blocks [limn_int8_n_blocks(n)]; q past n is 0. Each CPU level has its
 * own version for its products; this one is the specification. */
void limn_int8_quantize_row(limn_int8_block *blocks, const float *x, size_t n);

/* The most blocks a row may have, and how many blocks a product quantises at a time and keeps on
 * its stack (80 KiB; 144 KiB as words, linear_int8_words.c). */
enum { LIMN_INT8_MAX_BLOCKS = 256, LIMN_INT8_BLOCKS_AT_A_TIME = 2048 };
#define LIMN_INT8_MAX_INPUTS ((size_t)LIMN_INT8_MAX_BLOCKS * LIMN_INT8_BLOCK)

#endif

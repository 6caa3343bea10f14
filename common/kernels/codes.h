/* Products of codes: the rule of int8 for the blocks of convolutional networks, whose maps are
 * large and whose activations are bounded, so that they are quantised once, a byte each, and summed
 * over all inputs in integers (int8.h has the rule of all other products).
 *
 * A code c, 1 … 255, stands for (c - zero) * step.
 *
 *     a row of any values   zero 128, its own step m / 127 with m = max |x[k]|:
 *                           c = 128 + round to nearest even of x[k] * (127 / m)
 *     after ReLU6           zero 1, step 6 / 254:
 *                           c = 1 + round to nearest even of min(max(v, 0), 6) * (254 / 6)
 *
 * where m < LIMN_INT8_LEAST gives zeros of step 0, and a value that isn't finite gives zeros of
 * step NaN, so that the outputs are NaN. Weights are LIMN_I8, as in int8.h, or LIMN_I8_PAIRS where
 * 8 bits would lose too much:
 *
 *     m = max |w[o][k]|, scale[o] = m / 8128, w ≈ scale[o] * (64 * high[o][k] + low[o][k])
 *     q = round to nearest even of w[o][k] * (8128 / m)
 *     high = round to nearest even of q / 64, low = q - 64 * high
 *
 * The product sums in integers, which is exact in any order:
 *
 *     sum(q)[o] = sum over k of (c[k] - zero) * q[o][k]
 *     acc = float(sum(q)), or fma(float(sum(high)), 64, float(sum(low)))
 *     acc = fma(acc * step, scale[o], bias[o])
 *
 * No intermediate saturates or overflows at any level. c - 128 and q are in -127 … 127, so a
 * product fits 15 bits and a sign: smull of NEON, and of two the sum. Dot products of bytes add
 * four products to 32 bits (vpdpbusd of c and q, NEON's sdot of c - 128 and q); those of words add
 * two (pmaddwd of c - 128 and q, or of c - 128 and 64 * high + low, which is at most 8160 in size).
 * A sum of LIMN_CODES_MAX_INPUTS products of c and q stays below 2^27. That of c - zero and 64 *
 * high + low stays below 2^31 for LIMN_CODES_MAX_PAIR_INPUTS, and rounds to the same float as the
 * fma above does, since the fma's operands are exact. */
#ifndef LIMN_COMMON_KERNELS_CODES_H
#define LIMN_COMMON_KERNELS_CODES_H

#include <stddef.h>
#include <stdint.h>

enum { LIMN_CODES_ZERO_OF_ROW = 128, LIMN_CODES_ZERO_OF_RELU6 = 1, LIMN_CODES_PAIR = 64 };
enum { LIMN_CODES_MAX_SIZE = 2 }; /* bytes of a code (kernels.h) */
enum { LIMN_CODES_MAX_INPUTS = 2048, LIMN_CODES_MAX_PAIR_INPUTS = 1024 };

#define LIMN_CODES_STEP_OF_RELU6 (6.0f / 254.0f)
#define LIMN_CODES_PER_UNIT_OF_RELU6 (254.0f / 6.0f)

/* n, rounded up: products read rows of codes in fours. What is past n must be initialised and has
 * no effect. */
#define LIMN_CODES_PADDED(n) (((n) + 3) / 4 * 4)

/* Quantises the weights w [n] of one output to pairs (low: at most 32 in size); returns their
 * scale. */
float limn_codes_quantize_weights(int8_t *high, int8_t *low, const float *w, size_t n);

#endif

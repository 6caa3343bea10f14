/* Fused multiply-add: x * y + z, rounded once. Sources that are compiled for several CPU levels
 * call limn_fmaf: the instruction where the level has it, the arithmetic below where the build sets
 * LIMN_EMULATES_FMA, for CPUs without it (libm's function takes fifty times as long there). */
#ifndef LIMN_COMMON_KERNELS_C_FMA_C_H
#define LIMN_COMMON_KERNELS_C_FMA_C_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* fmaf, to the last bit, from operations on doubles in round-to-nearest mode.
 *
 * The product of two floats has 48 bits: exact in a double. The sum with z may need more than the
 * 53 bits of a double; what is lost is found exactly (Knuth's two-sum), and the sum is rounded to
 * odd with it: toward zero, and then, if anything was lost, its last bit is set. A number rounded
 * to odd with at least two bits more than a float has is on the same side of every tie as the exact
 * sum, so that rounding it to a float, normal or subnormal, rounds as the exact sum would (Boldo
 * and Melquiond, "Emulation of FMA and correctly rounded sums", 2008). Neither underflow nor
 * overflow happens before that: a product of floats is 0 or at least 2^-298, and below 2^256. With
 * infinity or NaN, what is lost is NaN, and the sum stays as it is. */
static inline float limn_emulated_fmaf(float x, float y, float z)
{
    const double product = (double)x * (double)y, addend = (double)z, sum = product + addend;
    const double part = sum - product;
    const double lost = (product - (sum - part)) + (addend - part);
    const uint64_t is_inexact = fabs(lost) > 0.0 ? UINT64_MAX : 0;
    uint64_t bits, lost_bits;
    double odd;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&lost_bits, &lost, sizeof lost_bits);
    bits -= ((bits ^ lost_bits) & is_inexact) >> 63; /* the sum was rounded away from zero */
    bits |= is_inexact & 1;
    memcpy(&odd, &bits, sizeof odd);
    return (float)odd;
}

/* The same: where the double is not halfway between two floats and is not subnormal as a float, it
 * rounds to the float that is nearest to the exact sum, too. */
static inline float limn_fast_emulated_fmaf(float x, float y, float z)
{
    const double sum = (double)x * (double)y + (double)z;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if ((bits & 0x1fffffff) != 0x10000000 && fabs(sum) >= 0x1p-126) return (float)sum;
    return limn_emulated_fmaf(x, y, z);
}

static inline float limn_fmaf(float x, float y, float z)
{
#ifdef LIMN_EMULATES_FMA
    return limn_emulated_fmaf(x, y, z);
#else
    return fmaf(x, y, z);
#endif
}

#endif

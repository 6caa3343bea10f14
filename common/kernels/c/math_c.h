/* exp, erf and log as every CPU level computes them, so that libm's version never matters.
 * The vector levels repeat exactly these operations in this order. */
#ifndef LIMN_COMMON_KERNELS_C_MATH_C_H
#define LIMN_COMMON_KERNELS_C_MATH_C_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/kernels/c/fma_c.h"

/* exp(x), relative error at most 2e-7 (test_math checks the bounds stated here).
 * Below -87.33 the result is 0, above 88.37 it is exp(88.37). NaN gives NaN here; the vector levels
 * used for inference do not expect it. Cody-Waite reduction by ln 2 in two parts, then the degree-5
 * polynomial of Cephes expf. */
static inline float limn_expf(float x)
{
    if (!(x >= -87.33f)) return x < -87.33f ? 0.0f : x;
    if (x > 88.37f) x = 88.37f;
    const float n = nearbyintf(x * 1.44269504088896341f);
    float r = limn_fmaf(n, -0.693359375f, x);
    r = limn_fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = limn_fmaf(p, r, 1.3981999507e-3f);
    p = limn_fmaf(p, r, 8.3334519073e-3f);
    p = limn_fmaf(p, r, 4.1665795894e-2f);
    p = limn_fmaf(p, r, 1.6666665459e-1f);
    p = limn_fmaf(p, r, 5.0000001201e-1f);
    p = limn_fmaf(p, r * r, r) + 1.0f;
    const int32_t bits = ((int32_t)n + 127) * (1 << 23);
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

/* erf(x), absolute error at most 1e-7: near 0 an odd polynomial, elsewhere 1 - exp of one
 * (both minimax fits). NaN is not expected. */
static inline float limn_erff(float x)
{
    const float t = fabsf(x), s = x * x;
    if (t > 0.927734375f) {
        float p = limn_fmaf(-1.72853470e-5f, t, 3.83197126e-4f);
        const float q = limn_fmaf(-3.88396438e-3f, t, 2.42546219e-2f);
        p = limn_fmaf(p, s, q);
        p = limn_fmaf(p, t, -1.06777877e-1f);
        p = limn_fmaf(p, t, -6.34846687e-1f);
        p = limn_fmaf(p, t, -1.28717512e-1f);
        p = limn_fmaf(p, t, -t);
        return copysignf(1.0f - limn_expf(p), x);
    }
    float p = limn_fmaf(-5.96761703e-4f, s, 4.99119423e-3f);
    p = limn_fmaf(p, s, -2.67681349e-2f);
    p = limn_fmaf(p, s, 1.12819925e-1f);
    p = limn_fmaf(p, s, -3.76125336e-1f);
    p = limn_fmaf(p, s, 1.28379166e-1f);
    return limn_fmaf(p, x, x);
}

/* log(x) of a normal positive x, error at most 1.5e-7 (relative where |log x| > 1): x = m 2^e
 * with m in sqrt(1/2) … sqrt(2), then the polynomial of Cephes logf. */
static inline float limn_logf(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t e = (bits - 0x3f3504f3) >> 23;
    bits -= e * (1 << 23);
    float m;
    memcpy(&m, &bits, sizeof m);
    m -= 1.0f;
    float p = 7.0376836292e-2f;
    p = limn_fmaf(p, m, -1.1514610310e-1f);
    p = limn_fmaf(p, m, 1.1676998740e-1f);
    p = limn_fmaf(p, m, -1.2420140846e-1f);
    p = limn_fmaf(p, m, 1.4249322787e-1f);
    p = limn_fmaf(p, m, -1.6668057665e-1f);
    p = limn_fmaf(p, m, 2.0000714765e-1f);
    p = limn_fmaf(p, m, -2.4999993993e-1f);
    p = limn_fmaf(p, m, 3.3333331174e-1f);
    const float z = m * m;
    p = limn_fmaf(p * m, z, -2.12194440e-4f * (float)e);
    p = limn_fmaf(-0.5f, z, p) + m;
    return limn_fmaf(0.693359375f, (float)e, p);
}

/* x * (1 + erf(x / sqrt 2)) / 2, error at most 2.5e-7 (relative where |x| > 1). */
static inline float limn_geluf(float x)
{
    return 0.5f * x * (1.0f + limn_erff(x * 0.70710678118654752f));
}

/* x / (1 + exp(-z)) */
static inline float limn_gatef(float x, float z)
{
    return x / (1.0f + limn_expf(-z));
}

/* x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) / 2, written with the sigmoid of twice the tanh's
 * argument; error at most 4e-7 (relative where |x| > 1). */
static inline float limn_gelu_tanhf(float x)
{
    return limn_gatef(x, 1.59576912160573071f * limn_fmaf(0.044715f * x * x, x, x));
}

/* x / (1 + exp(-1.702 x)), error as above. */
static inline float limn_quick_geluf(float x)
{
    return limn_gatef(x, 1.702f * x);
}

#endif

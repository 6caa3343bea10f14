#include <string.h>

#include "common/kernels/pack.h"

/* The exponent is re-biased by a multiplication, which also normalises subnormals. Branchless, so
 * that loops over rows vectorise. */
static inline float widen(uint16_t h)
{
    const uint32_t magnitude = h & 0x7fffu, sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t bits = magnitude << 13;
    float f;
    memcpy(&f, &bits, sizeof f);
    f *= 0x1p112f;
    memcpy(&bits, &f, sizeof bits);
    bits |= sign | (magnitude >= 0x7c00u ? 0x7f800000u : 0); /* infinity and NaN stay so */
    memcpy(&f, &bits, sizeof f);
    return f;
}

float limn_f16_to_f32(uint16_t h)
{
    return widen(h);
}

void limn_f16_row_to_f32(float *out, const void *row, size_t n)
{
    const unsigned char *from = row;
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, from + i * sizeof h, sizeof h);
        out[i] = widen(h);
    }
}

/* Shifts the significand right by `shift` bits, rounding to nearest, ties to even. */
static uint32_t shift_to_nearest(uint32_t significand, unsigned shift)
{
    const uint32_t half = 1u << (shift - 1), rest = significand & ((1u << shift) - 1);
    const uint32_t kept = significand >> shift;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t limn_f32_to_f16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    const uint32_t magnitude = bits & 0x7fffffffu;
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u); /* NaN */
    if (magnitude >= 0x477ff000u)
        return (uint16_t)(sign | 0x7c00u); /* at least 65520, which rounds to infinity */
    if (magnitude >= 0x38800000u)          /* normal; a carry moves into the exponent */
        return (uint16_t)(sign | shift_to_nearest(magnitude - 0x38000000u, 13));
    if (magnitude < 0x33000000u) return sign; /* below half of the smallest subnormal */
    const unsigned shift = 126u - (magnitude >> 23);
    return (uint16_t)(sign | shift_to_nearest((magnitude & 0x7fffffu) | 0x800000u, shift));
}

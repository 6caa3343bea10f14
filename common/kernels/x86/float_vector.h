/* Vectors of floats, for kernels that are compiled for AVX2 and FMA and for AVX-512. */
#ifndef LIMN_COMMON_KERNELS_X86_FLOAT_VECTOR_H
#define LIMN_COMMON_KERNELS_X86_FLOAT_VECTOR_H

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kernels/x86/unroll.h"

#ifdef __AVX512F__

enum { LANES = 16 };

typedef __m512 vector;
typedef __mmask16 mask;

/* The first n lanes; all for n >= LANES. */
INLINE mask first_lanes(size_t n)
{
    return (mask)(n < LANES ? (1u << n) - 1 : 0xffff);
}

INLINE vector load(const float *p)
{
    return _mm512_loadu_ps(p);
}

/* Zeros in the other lanes, whose memory is not read. */
INLINE vector load_first(const float *p, mask m)
{
    return _mm512_maskz_loadu_ps(m, p);
}

INLINE void store(float *p, vector v)
{
    _mm512_storeu_ps(p, v);
}

INLINE void store_first(float *p, mask m, vector v)
{
    _mm512_mask_storeu_ps(p, m, v);
}

INLINE vector each(float f)
{
    return _mm512_set1_ps(f);
}

/* a * b + c */
INLINE vector multiply_add(vector a, vector b, vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

#else

enum { LANES = 8 };

typedef __m256 vector;
typedef __m256i mask;

INLINE mask first_lanes(size_t n)
{
    static const int32_t ones_then_zeros[2 * LANES] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    return _mm256_loadu_si256((const __m256i *)(ones_then_zeros + (n < LANES ? LANES - n : 0)));
}

INLINE vector load(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE vector load_first(const float *p, mask m)
{
    return _mm256_maskload_ps(p, m);
}

INLINE void store(float *p, vector v)
{
    _mm256_storeu_ps(p, v);
}

INLINE void store_first(float *p, mask m, vector v)
{
    _mm256_maskstore_ps(p, m, v);
}

INLINE vector each(float f)
{
    return _mm256_set1_ps(f);
}

INLINE vector multiply_add(vector a, vector b, vector c)
{
    return _mm256_fmadd_ps(a, b, c);
}

#endif

#endif

#endif

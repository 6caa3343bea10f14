/* The vectors of the products of codes: for each level, how many sums a vector holds (LANES), and
 * what becomes of them at the end. */
#ifndef LIMN_COMMON_KERNELS_X86_CODES_VECTOR_H
#define LIMN_COMMON_KERNELS_X86_CODES_VECTOR_H

#if defined(__SSE4_1__)

#include <immintrin.h>

#include "common/kernels/codes.h"
#include "common/kernels/kernels.h"

#ifdef __AVX512F__

#include "common/kernels/x86/store_avx512.h"

enum { LANES = 16 };

typedef __m512i ints;
typedef __m512 floats;

INLINE ints load_ints(const void *from)
{
    return _mm512_load_si512(from);
}

INLINE ints load_any_ints(const void *from)
{
    return _mm512_loadu_si512(from);
}

INLINE void store_ints(void *to, ints v)
{
    _mm512_storeu_si512(to, v);
}

INLINE ints every_word(int32_t word)
{
    return _mm512_set1_epi32(word);
}

INLINE ints times(ints a, ints b)
{
    return _mm512_mullo_epi32(a, b);
}

/* Adds the products of two words each. */
INLINE ints add_words(ints acc, ints a, ints b)
{
    return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b));
}

/* The bytes 0 and 2 of each four, and 1 and 3, as words with a sign. */
INLINE ints even_bytes(ints v)
{
    return _mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8);
}

INLINE ints odd_bytes(ints v)
{
    return _mm512_srai_epi16(v, 8);
}

/* The same of bytes without a sign. */
INLINE ints even_unsigned_bytes(ints v)
{
    return _mm512_and_si512(v, _mm512_set1_epi16(0xff));
}

INLINE ints odd_unsigned_bytes(ints v)
{
    return _mm512_srli_epi16(v, 8);
}

/* The other sign bit: bytes from 0 on become those from -128 on. */
INLINE ints flip(ints bytes)
{
    return _mm512_xor_si512(bytes, _mm512_set1_epi8((char)0x80));
}

/* 64 times the words of a, and those of b. */
INLINE ints join_words(ints a, ints b)
{
    return _mm512_add_epi16(_mm512_slli_epi16(a, 6), b);
}

/* (a0 b0) and (a1 b1) of the two words of a and b. */
INLINE ints first_words(ints a, ints b)
{
    return _mm512_mask_blend_epi16(0xaaaaaaaa, a, _mm512_slli_epi32(b, 16));
}

INLINE ints second_words(ints a, ints b)
{
    return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(a, 16), b);
}

INLINE floats to_floats(ints v)
{
    return _mm512_cvtepi32_ps(v);
}

INLINE floats load_floats(const float *from)
{
    return from ? _mm512_load_ps(from) : _mm512_setzero_ps();
}

INLINE void store_floats(float *to, floats v)
{
    _mm512_store_ps(to, v);
}

INLINE floats every_float(float f)
{
    return _mm512_set1_ps(f);
}

INLINE floats multiply_add(floats a, floats b, floats c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* acc * step * scale + bias */
INLINE floats finish(floats acc, float step, floats scale, floats bias)
{
    return _mm512_fmadd_ps(_mm512_mul_ps(acc, _mm512_set1_ps(step)), scale, bias);
}

/* 64 times a, and b */
INLINE floats join_floats(floats a, floats b)
{
    return _mm512_fmadd_ps(a, _mm512_set1_ps((float)LIMN_CODES_PAIR), b);
}

/* A whole vector after ReLU6. */
INLINE void write_relu6(float *y, floats v)
{
    _mm512_storeu_ps(y, activate(LIMN_ACT_RELU6, v));
}

INLINE void write(const limn_linear_job *job, size_t row, size_t output, floats v)
{
    store(job, row, output / LIMN_PANEL, v);
}

#elif defined(__AVX2__) && defined(__FMA__)

#include "common/kernels/x86/store_avx2.h"

enum { LANES = 8 };

typedef __m256i ints;
typedef __m256 floats;

INLINE ints load_ints(const void *from)
{
    return _mm256_load_si256((const __m256i *)from);
}

INLINE ints load_any_ints(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

INLINE void store_ints(void *to, ints v)
{
    _mm256_storeu_si256((__m256i *)to, v);
}

INLINE ints every_word(int32_t word)
{
    return _mm256_set1_epi32(word);
}

INLINE ints times(ints a, ints b)
{
    return _mm256_mullo_epi32(a, b);
}

INLINE ints add_words(ints acc, ints a, ints b)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
}

INLINE ints even_bytes(ints v)
{
    return _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8);
}

INLINE ints odd_bytes(ints v)
{
    return _mm256_srai_epi16(v, 8);
}

INLINE ints even_unsigned_bytes(ints v)
{
    return _mm256_and_si256(v, _mm256_set1_epi16(0xff));
}

INLINE ints odd_unsigned_bytes(ints v)
{
    return _mm256_srli_epi16(v, 8);
}

INLINE ints flip(ints bytes)
{
    return _mm256_xor_si256(bytes, _mm256_set1_epi8((char)0x80));
}

INLINE ints join_words(ints a, ints b)
{
    return _mm256_add_epi16(_mm256_slli_epi16(a, 6), b);
}

INLINE ints first_words(ints a, ints b)
{
    return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa);
}

INLINE ints second_words(ints a, ints b)
{
    return _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa);
}

INLINE floats to_floats(ints v)
{
    return _mm256_cvtepi32_ps(v);
}

INLINE floats load_floats(const float *from)
{
    return from ? _mm256_load_ps(from) : _mm256_setzero_ps();
}

INLINE void store_floats(float *to, floats v)
{
    _mm256_store_ps(to, v);
}

INLINE floats every_float(float f)
{
    return _mm256_set1_ps(f);
}

INLINE floats multiply_add(floats a, floats b, floats c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE floats finish(floats acc, float step, floats scale, floats bias)
{
    return _mm256_fmadd_ps(_mm256_mul_ps(acc, _mm256_set1_ps(step)), scale, bias);
}

INLINE floats join_floats(floats a, floats b)
{
    return _mm256_fmadd_ps(a, _mm256_set1_ps((float)LIMN_CODES_PAIR), b);
}

INLINE void write_relu6(float *y, floats v)
{
    _mm256_storeu_ps(y, activate(LIMN_ACT_RELU6, v));
}

INLINE void write(const limn_linear_job *job, size_t row, size_t output, floats v)
{
    store(job, row, output, v);
}

#else

#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/store_sse41.h"

enum { LANES = 4 };

typedef __m128i ints;
typedef __m128 floats;

INLINE ints load_ints(const void *from)
{
    return _mm_load_si128((const __m128i *)from);
}

INLINE ints load_any_ints(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

INLINE void store_ints(void *to, ints v)
{
    _mm_storeu_si128((__m128i *)to, v);
}

INLINE ints every_word(int32_t word)
{
    return _mm_set1_epi32(word);
}

INLINE ints add_words(ints acc, ints a, ints b)
{
    return _mm_add_epi32(acc, _mm_madd_epi16(a, b));
}

INLINE ints even_bytes(ints v)
{
    return _mm_srai_epi16(_mm_slli_epi16(v, 8), 8);
}

INLINE ints odd_bytes(ints v)
{
    return _mm_srai_epi16(v, 8);
}

INLINE ints flip(ints bytes)
{
    return _mm_xor_si128(bytes, _mm_set1_epi8((char)0x80));
}

INLINE ints join_words(ints a, ints b)
{
    return _mm_add_epi16(_mm_slli_epi16(a, 6), b);
}

INLINE ints first_words(ints a, ints b)
{
    return _mm_blend_epi16(a, _mm_slli_epi32(b, 16), 0xaa);
}

INLINE ints second_words(ints a, ints b)
{
    return _mm_blend_epi16(_mm_srli_epi32(a, 16), b, 0xaa);
}

INLINE floats to_floats(ints v)
{
    return _mm_cvtepi32_ps(v);
}

INLINE floats load_floats(const float *from)
{
    return from ? _mm_load_ps(from) : _mm_setzero_ps();
}

INLINE floats finish(floats acc, float step, floats scale, floats bias)
{
    return fma_four(_mm_mul_ps(acc, _mm_set1_ps(step)), scale, bias);
}

INLINE void write_relu6(float *y, floats v)
{
    _mm_storeu_ps(y, activate(LIMN_ACT_RELU6, v));
}

INLINE void write(const limn_linear_job *job, size_t row, size_t output, floats v)
{
    store(job, row, output, v);
}

#endif

/* Four bytes. */
INLINE int32_t word_at(const void *from)
{
    int32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

/* What the sums of a vector become. */
typedef struct output_place {
    size_t output;
    bool is_whole; /* all its lanes are outputs */
    floats scale, bias;
} output_place;

INLINE output_place output_of(const limn_linear_job *job, size_t output)
{
    const limn_packed *w = job->w;
    return (output_place){ output, output + LANES <= w->n_outputs, load_floats(w->scales + output),
                           load_floats(w->bias ? w->bias + output : NULL) };
}

/* Writes the sums [n_rows][n_vectors] of rows from `row` on. Expanded maps, the largest, go a short
 * way: whole vectors after ReLU6. */
INLINE void write_rows(const limn_codes_job *codes, size_t row, const floats *sums,
                       const output_place *outputs, const size_t n_rows, const size_t n_vectors)
{
    const limn_linear_job *job = &codes->product;
    const bool is_short =
        job->activation == LIMN_ACT_RELU6 && !job->residual && outputs[n_vectors - 1].is_whole;
    UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        const float step = codes->steps ? codes->steps[row + r] : codes->step;
        float *y = job->y + limn_y_offset(job, row + r) + outputs[0].output;
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            const floats sum =
                finish(sums[r * n_vectors + v], step, outputs[v].scale, outputs[v].bias);
            if (is_short)
                write_relu6(y + v * LANES, sum);
            else
                write(job, row + r, outputs[v].output, sum);
        }
    }
}

#endif

#endif

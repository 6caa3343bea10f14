/* One output row of a depthwise convolution, with AVX2 and FMA and with AVX-512.
 *
 * A tile is 7 output columns by one vector of channels each, or two (MAX_VECTORS). For each kernel
 * row, its weights are held in registers and every input column is loaded once, then used by all
 * output columns that it reaches (kernel width 3, stride 1):
 *
 *     input columns    0   1   2   3   …        output j takes column c with weight c - j*stride,
 *                      └───┼───┘   │            so that each sum meets its weights in order
 *     output 0         w0  w1  w2  │
 *     output 1             w0  w1  w2
 *
 * That makes 11 + 5 loads for 35 FMAs at 5x5; seven sums and the next tile's keep both FMA units
 * busy. 7 divides the widths of a 224-pixel network: 112, 56, 28, 14, 7. */
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/kernels/c/level_name.h"
#include "common/kernels/codes.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/float_vector.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_COLUMNS = 7, MAX_SIZE = 5 };

/* What is constant where a row is computed, so that loops are unrolled and addresses are constant
 * distances from each other. */
typedef struct row_shape {
    size_t size, stride;
    limn_activation activation;
    size_t spacing; /* x_stride and w_stride, where they are the same and known; else 0 */
} row_shape;

/* The most vectors of channels in a tile, by the number of registers. Where an input column is used
 * by five outputs, more sums keep both FMA units busier; otherwise loads and stores are the
 * limit. */
#ifdef __AVX512F__
enum { MAX_VECTORS = 2 };
#else
enum { MAX_VECTORS = 1 };
#endif

/* Codes are words where the products have no dot product of bytes (linear_codes_words.c). */
#if defined(__AVXVNNI__) || defined(__AVX512VNNI__)
enum { CODE_SIZE = 1 };
#else
enum { CODE_SIZE = 2 };
#endif

/* The last channels, fewer than a vector, are loaded and stored under a mask. */
INLINE vector load_lanes(const float *p, const bool is_part, mask m)
{
    return is_part ? load_first(p, m) : load(p);
}

INLINE void store_lanes(float *p, vector v, const bool is_part, mask m)
{
    if (is_part)
        store_first(p, m, v);
    else
        store(p, v);
}

#ifdef __AVX512VNNI__

/* Up to four columns after ReLU6 to bytes, where packing with saturation does half of the clipping:
 * what is negative, and NaN, becomes 0, and 255 with 1 more stays 255. */
INLINE void store_four(uint8_t *codes, size_t stride, const vector *v, const size_t n_columns)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i units[4];
    UNROLL
    for (size_t j = 0; j < 4; j++) {
        const vector at_most_6 = _mm512_min_ps(_mm512_set1_ps(6.0f), v[j < n_columns ? j : 0]);
        units[j] = _mm512_cvtps_epi32(
            _mm512_mul_ps(at_most_6, _mm512_set1_ps(LIMN_CODES_PER_UNIT_OF_RELU6)));
    }
    __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(units[0], units[1]),
                                        _mm512_packs_epi32(units[2], units[3]));
    bytes = _mm512_adds_epu8(bytes, _mm512_set1_epi8(LIMN_CODES_ZERO_OF_RELU6));
    bytes = _mm512_permutexvar_epi32(order, bytes);
    _mm_storeu_si128((__m128i *)codes, _mm512_castsi512_si128(bytes));
    if (n_columns > 1)
        _mm_storeu_si128((__m128i *)(codes + stride), _mm512_extracti32x4_epi32(bytes, 1));
    if (n_columns > 2)
        _mm_storeu_si128((__m128i *)(codes + 2 * stride), _mm512_extracti32x4_epi32(bytes, 2));
    if (n_columns > 3)
        _mm_storeu_si128((__m128i *)(codes + 3 * stride), _mm512_extracti32x4_epi32(bytes, 3));
}

#endif

#ifdef __AVX512F__

INLINE vector clip(vector v, limn_activation activation)
{
    if (activation != LIMN_ACT_NONE) v = _mm512_max_ps(v, _mm512_setzero_ps());
    if (activation == LIMN_ACT_RELU6) v = _mm512_min_ps(v, _mm512_set1_ps(6.0f));
    return v;
}

INLINE void store_codes(void *p, vector v, const bool is_part, mask m)
{
    const __m512 units = _mm512_mul_ps(v, _mm512_set1_ps(LIMN_CODES_PER_UNIT_OF_RELU6));
    const __m512i codes =
        _mm512_add_epi32(_mm512_cvtps_epi32(units), _mm512_set1_epi32(LIMN_CODES_ZERO_OF_RELU6));
    if (CODE_SIZE == 2)
        _mm512_mask_cvtepi32_storeu_epi16(p, is_part ? m : (mask)0xffff, codes);
    else
        _mm512_mask_cvtepi32_storeu_epi8(p, is_part ? m : (mask)0xffff, codes);
}

#else

INLINE vector clip(vector v, limn_activation activation)
{
    if (activation != LIMN_ACT_NONE) v = _mm256_max_ps(v, _mm256_setzero_ps());
    if (activation == LIMN_ACT_RELU6) v = _mm256_min_ps(v, _mm256_set1_ps(6.0f));
    return v;
}

INLINE void store_codes(void *p, vector v, const bool is_part, mask m)
{
    const __m256 units = _mm256_mul_ps(v, _mm256_set1_ps(LIMN_CODES_PER_UNIT_OF_RELU6));
    const __m256i codes =
        _mm256_add_epi32(_mm256_cvtps_epi32(units), _mm256_set1_epi32(LIMN_CODES_ZERO_OF_RELU6));
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    const __m128i packed = CODE_SIZE == 2 ? words : _mm_packus_epi16(words, words);
    unsigned char part[16];
    if (is_part) {
        const unsigned lanes = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(m));
        _mm_storeu_si128((__m128i *)part, packed);
        memcpy(p, part, (size_t)__builtin_popcount(lanes) * CODE_SIZE);
    } else if (CODE_SIZE == 2) {
        _mm_storeu_si128((__m128i *)p, packed);
    } else {
        _mm_storel_epi64((__m128i *)p, packed);
    }
}

#endif

/* Writes the sums of n_columns columns from `column` on, of a vector of channels. */
INLINE void store_columns(const limn_depthwise_job *job, const vector *acc, size_t column,
                          size_t channel, mask m, const size_t n_columns,
                          const limn_activation activation, const bool is_part)
{
#ifdef __AVX512VNNI__
    if (job->codes && activation == LIMN_ACT_RELU6 && !is_part) {
        uint8_t *codes = (uint8_t *)job->codes + column * job->y_stride + channel;
        store_four(codes, job->y_stride, acc, n_columns < 4 ? n_columns : 4);
        if (n_columns > 4)
            store_four(codes + 4 * job->y_stride, job->y_stride, acc + 4, n_columns - 4);
        return;
    }
#endif
    UNROLL
    for (size_t j = 0; j < n_columns; j++) {
        const size_t at = (column + j) * job->y_stride + channel;
        if (job->codes)
            store_codes((unsigned char *)job->codes + at * CODE_SIZE, clip(acc[j], activation),
                        is_part, m);
        else
            store_lanes(job->y + at, clip(acc[j], activation), is_part, m);
    }
}

/* n_columns outputs from `column` on, n_vectors of channels from `channel` on. n_columns,
 * n_vectors, shape and is_part are constants at the call sites, so that every loop but the one over
 * ky is unrolled. */
INLINE void tile(const limn_depthwise_job *job, size_t column, size_t channel, mask m,
                 const size_t n_columns, const size_t n_vectors, const row_shape shape,
                 const bool is_part)
{
    const size_t size = shape.size, stride = shape.stride;
    const size_t x_stride = shape.spacing ? shape.spacing : job->x_stride;
    const size_t w_stride = shape.spacing ? shape.spacing : job->w_stride;
    vector acc[MAX_VECTORS][MAX_COLUMNS], w[MAX_VECTORS][MAX_SIZE];
    UNROLL
    for (size_t i = 0; i < n_vectors * n_columns; i++)
        acc[i / n_columns][i % n_columns] =
            load_lanes(job->bias + channel + i / n_columns * LANES, is_part, m);
    for (size_t ky = 0; ky < size; ky++) {
        if (!job->rows[ky]) continue;
        const float *x = job->rows[ky] + column * stride * x_stride + channel;
        const float *w_ky = job->w + ky * size * w_stride + channel;
        UNROLL
        for (size_t i = 0; i < n_vectors * size; i++)
            w[i / size][i % size] =
                load_lanes(w_ky + i % size * w_stride + i / size * LANES, is_part, m);
        UNROLL
        for (size_t c = 0; c < (n_columns - 1) * stride + size; c++) {
            UNROLL
            for (size_t v = 0; v < n_vectors; v++) {
                const vector x_c = load_lanes(x + c * x_stride + v * LANES, is_part, m);
                UNROLL
                for (size_t j = 0; j < n_columns; j++)
                    if (c >= j * stride && c - j * stride < size)
                        acc[v][j] = multiply_add(x_c, w[v][c - j * stride], acc[v][j]);
            }
        }
    }
    UNROLL
    for (size_t v = 0; v < n_vectors; v++)
        store_columns(job, acc[v], column, channel + v * LANES, m, n_columns, shape.activation,
                      is_part);
}

/* n_columns outputs, all channels. */
INLINE void columns(const limn_depthwise_job *job, size_t column, const size_t n_columns,
                    const row_shape shape)
{
    size_t c = 0;
    if (shape.size == 5 && shape.stride == 1)
        for (; c + MAX_VECTORS * LANES <= job->n_channels; c += MAX_VECTORS * LANES)
            tile(job, column, c, first_lanes(0), n_columns, MAX_VECTORS, shape, false);
    for (; c + LANES <= job->n_channels; c += LANES)
        tile(job, column, c, first_lanes(0), n_columns, 1, shape, false);
    if (c == job->n_channels) return;
    const mask m = first_lanes(job->n_channels - c);
    for (size_t j = 0; j < n_columns; j++) tile(job, column + j, c, m, 1, 1, shape, true);
}

INLINE void row(const limn_depthwise_job *job, const row_shape shape)
{
    size_t j = 0;
    for (; j + 7 <= job->n_columns; j += 7) columns(job, j, 7, shape);
    for (; j + 3 <= job->n_columns; j += 3) columns(job, j, 3, shape);
    for (; j < job->n_columns; j++) columns(job, j, 1, shape);
}

INLINE void any_row(const limn_depthwise_job *job, const limn_activation activation,
                    const size_t spacing)
{
    if (job->size == 3 && job->stride == 1)
        row(job, (row_shape){ 3, 1, activation, spacing });
    else if (job->size == 3)
        row(job, (row_shape){ 3, 2, activation, spacing });
    else if (job->stride == 1)
        row(job, (row_shape){ 5, 1, activation, spacing });
    else
        row(job, (row_shape){ 5, 2, activation, spacing });
}

/* A group of channels at a time, as in a block of EfficientNet-Lite, has a function of its own. */
void LIMN_LEVEL(limn_depthwise)(const limn_depthwise_job *job)
{
    if (job->activation == LIMN_ACT_RELU6 && job->x_stride == LIMN_FILTER_GROUP &&
        job->w_stride == LIMN_FILTER_GROUP)
        any_row(job, LIMN_ACT_RELU6, LIMN_FILTER_GROUP);
    else
        any_row(job, job->activation, 0);
}

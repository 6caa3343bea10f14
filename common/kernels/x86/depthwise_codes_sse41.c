/* One output row of a depthwise convolution as codes (codes.h) with SSE4.1, without fused
 * multiply-add instructions.
 *
 * Only the codes are asked for, and few of them depend on the last bits of a sum. So the sums are
 * made of ordinary products and sums of floats, four channels at a time, and each has a bound on
 * how far it can be from the sum of fused multiply-adds. What clips, scales and rounds a sum to its
 * code never decreases: where both ends of the bound have the same code, so has the sum that is
 * meant. Elsewhere, some outputs in a hundred, it is computed as it is meant (c/fma_c.h).
 *
 * The bound. Let u = 2^-24, n taps, T = |bias| + sum of |x| |w|. No partial sum of either kind is
 * larger than T (1 + u)^2n. At each tap the ordinary way rounds the product, by at most u |x| |w|,
 * and the sum, by at most u T (1 + u)^2n, and the fused way rounds the sum, by as much; products
 * that underflow are off by 2^-150 more. So the two are within (2n + 1) u T (1 + u)^2n + n 2^-150
 * of each other, and adding the bound to a sum rounds by u T more, about. With T from the largest
 * |x| of a channel, and for the roundings of the bound itself, which are less than 1e-5 of it, it
 * is (2n + 4) u T + 2^-126. */
#include <smmintrin.h>
#include <stdbool.h>

#include "common/kernels/c/fma_c.h"
#include "common/kernels/c/tap_sum.h"
#include "common/kernels/codes.h"
#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_COLUMNS = 7, MAX_SIZE = 5, LANES = 4 };

/* Below it, nothing overflows. */
#define LARGEST_BOUND 1e30f

INLINE __m128 magnitude(__m128 v)
{
    return _mm_andnot_ps(_mm_set1_ps(-0.0f), v);
}

/* The largest |x| of four channels. As integers, infinity and NaN are larger than any number. */
static __m128 largest_inputs(const limn_depthwise_job *job, size_t channel)
{
    const size_t n_inputs = (job->n_columns - 1) * job->stride + job->size;
    __m128i largest = _mm_setzero_si128();
    for (size_t ky = 0; ky < job->size; ky++) {
        const float *x = job->rows[ky];
        for (size_t i = 0; x && i < n_inputs; i++, x += job->x_stride) {
            const __m128 size = magnitude(_mm_loadu_ps(x + channel));
            largest = _mm_max_epi32(largest, _mm_castps_si128(size));
        }
    }
    return _mm_castsi128_ps(largest);
}

static __m128 bound_of(const limn_depthwise_job *job, size_t channel)
{
    const size_t n_taps = job->size * job->size;
    __m128 sum = _mm_setzero_ps();
    for (size_t i = 0; i < n_taps; i++)
        sum = _mm_add_ps(sum, magnitude(_mm_loadu_ps(job->w + i * job->w_stride + channel)));
    sum = _mm_add_ps(_mm_mul_ps(sum, largest_inputs(job, channel)),
                     magnitude(_mm_loadu_ps(job->bias + channel)));
    const __m128 unit = _mm_set1_ps((float)(2 * n_taps + 4) * 0x1p-24f);
    return _mm_add_ps(_mm_mul_ps(sum, unit), _mm_set1_ps(0x1p-126f));
}

INLINE __m128i codes_of(__m128 v)
{
    v = _mm_min_ps(_mm_max_ps(v, _mm_setzero_ps()), _mm_set1_ps(6.0f));
    return _mm_cvtps_epi32(_mm_mul_ps(v, _mm_set1_ps(LIMN_CODES_PER_UNIT_OF_RELU6)));
}

/* The code as it is meant. Out of line: rarely called. */
static __attribute__((noinline)) uint16_t exact_code(const limn_depthwise_job *job, size_t column,
                                                     size_t channel)
{
    const float acc = limn_tap_sum(job, column, channel, limn_fast_emulated_fmaf);
    return (uint16_t)(LIMN_CODES_ZERO_OF_RELU6 + _mm_cvtsi128_si32(codes_of(_mm_set_ss(acc))));
}

INLINE void store(const limn_depthwise_job *job, size_t column, size_t channel, __m128 v,
                  __m128 bound)
{
    uint16_t *codes = (uint16_t *)job->codes + column * job->y_stride + channel;
    const __m128i low = codes_of(_mm_sub_ps(v, bound)), high = codes_of(_mm_add_ps(v, bound));
    const int certain = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(low, high)));
    const __m128i words = _mm_add_epi32(low, _mm_set1_epi32(LIMN_CODES_ZERO_OF_RELU6));
    _mm_storel_epi64((__m128i *)codes, _mm_packs_epi32(words, words));
    if (certain == 15) return;
    for (size_t i = 0; i < LANES; i++)
        if (!(certain >> i & 1)) codes[i] = exact_code(job, column, channel + i);
}

/* As in depthwise_vectors.c. */
INLINE void tile(const limn_depthwise_job *job, size_t column, size_t channel, __m128 bound,
                 const size_t n_columns, const size_t size, const size_t stride)
{
    __m128 acc[MAX_COLUMNS], w[MAX_SIZE];
    const __m128 bias = _mm_loadu_ps(job->bias + channel);
    UNROLL
    for (size_t j = 0; j < n_columns; j++) acc[j] = bias;
    for (size_t ky = 0; ky < size; ky++) {
        if (!job->rows[ky]) continue;
        const float *x = job->rows[ky] + column * stride * job->x_stride + channel;
        UNROLL
        for (size_t kx = 0; kx < size; kx++)
            w[kx] = _mm_loadu_ps(job->w + (ky * size + kx) * job->w_stride + channel);
        UNROLL
        for (size_t c = 0; c < (n_columns - 1) * stride + size; c++) {
            const __m128 v = _mm_loadu_ps(x + c * job->x_stride);
            UNROLL
            for (size_t j = 0; j < n_columns; j++)
                if (c >= j * stride && c - j * stride < size)
                    acc[j] = _mm_add_ps(_mm_mul_ps(v, w[c - j * stride]), acc[j]);
        }
    }
    UNROLL
    for (size_t j = 0; j < n_columns; j++) store(job, column + j, channel, acc[j], bound);
}

INLINE void row(const limn_depthwise_job *job, size_t channel, __m128 bound, const size_t size,
                const size_t stride)
{
    size_t j = 0;
    for (; j + 7 <= job->n_columns; j += 7) tile(job, j, channel, bound, 7, size, stride);
    for (; j + 3 <= job->n_columns; j += 3) tile(job, j, channel, bound, 3, size, stride);
    for (; j < job->n_columns; j++) tile(job, j, channel, bound, 1, size, stride);
}

static void any_row(const limn_depthwise_job *job, size_t channel, __m128 bound)
{
    if (job->size == 3 && job->stride == 1)
        row(job, channel, bound, 3, 1);
    else if (job->size == 3)
        row(job, channel, bound, 3, 2);
    else if (job->stride == 1)
        row(job, channel, bound, 5, 1);
    else
        row(job, channel, bound, 5, 2);
}

static void exact_channel(const limn_depthwise_job *job, size_t channel)
{
    for (size_t j = 0; j < job->n_columns; j++)
        ((uint16_t *)job->codes)[j * job->y_stride + channel] = exact_code(job, j, channel);
}

/* Of limn_depthwise_sse41, for jobs of at least one column whose outputs are codes. */
void limn_depthwise_codes_sse41(const limn_depthwise_job *job)
{
    size_t c = 0;
    for (; c + LANES <= job->n_channels; c += LANES) {
        const __m128 bound = bound_of(job, c);
        if (_mm_movemask_ps(_mm_cmple_ps(bound, _mm_set1_ps(LARGEST_BOUND))) == 15)
            any_row(job, c, bound);
        else
            for (size_t i = 0; i < LANES; i++) exact_channel(job, c + i);
    }
    for (; c < job->n_channels; c++) exact_channel(job, c);
}

/* One output row of a depthwise convolution with SSE4.1, without fused multiply-add instructions
 * (fma_sse41.h); read depthwise_vectors.c first. A vector is two channels, as doubles. A kernel
 * row of a tile that has a tie, and all of a job whose operands aren't ordinary, are added exactly,
 * one output at a time. */
#include <smmintrin.h>
#include <stdbool.h>

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/fma_sse41.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_COLUMNS = 7, MAX_SIZE = 5, LANES = 2 };

/* Two channels, or the last one. */
INLINE __m128d load(const float *from, const bool is_part)
{
    return is_part ? _mm_cvtps_pd(_mm_load_ss(from)) : load_pair(from);
}

INLINE __m128d clip(__m128d v, limn_activation activation)
{
    if (activation != LIMN_ACT_NONE) v = _mm_max_pd(v, _mm_setzero_pd());
    if (activation == LIMN_ACT_RELU6) v = _mm_min_pd(v, _mm_set1_pd(6.0));
    return v;
}

INLINE void store(const limn_depthwise_job *job, size_t column, size_t channel, __m128d v,
                  const bool is_part)
{
    const __m128 floats = _mm_cvtpd_ps(clip(v, job->activation));
    const size_t at = column * job->y_stride + channel;
    if (is_part) {
        _mm_store_ss(job->y + at, floats);
    } else {
        _mm_storel_epi64((__m128i *)(job->y + at), _mm_castps_si128(floats));
    }
}

/* Adds the taps of a kernel row to the sums of n_columns outputs. */
INLINE void add_exactly(const limn_depthwise_job *job, __m128d *sums, const float *x,
                        const float *w, size_t n_columns, const bool is_part)
{
    for (size_t j = 0; j < n_columns; j++)
        for (size_t kx = 0; kx < job->size; kx++)
            sums[j] = fma_pair(load(x + (j * job->stride + kx) * job->x_stride, is_part),
                               load(w + kx * job->w_stride, is_part), sums[j]);
}

/* Out of line: rarely called. */
static __attribute__((noinline)) void add_pair_exactly(const limn_depthwise_job *job, __m128d *sums,
                                                       const float *x, const float *w,
                                                       size_t n_columns)
{
    add_exactly(job, sums, x, w, n_columns, false);
}

static __attribute__((noinline)) void add_last_exactly(const limn_depthwise_job *job, __m128d *sums,
                                                       const float *x, const float *w,
                                                       size_t n_columns)
{
    add_exactly(job, sums, x, w, n_columns, true);
}

/* Adds the taps of a kernel row; false if there was a tie, and acc is not to be used. */
INLINE bool add_row(__m128d *acc, const float *x, const float *w, const limn_depthwise_job *job,
                    const size_t n_columns, const size_t size, const size_t stride,
                    const bool is_part)
{
    __m128d taps[MAX_SIZE];
    __m128i ties = _mm_setzero_si128();
    UNROLL
    for (size_t kx = 0; kx < size; kx++) taps[kx] = load(w + kx * job->w_stride, is_part);
    UNROLL
    for (size_t c = 0; c < (n_columns - 1) * stride + size; c++) {
        const __m128d v = load(x + c * job->x_stride, is_part);
        UNROLL
        for (size_t j = 0; j < n_columns; j++)
            if (c >= j * stride && c - j * stride < size)
                acc[j] = fma_pair_unless_tie(v, taps[c - j * stride], acc[j], &ties);
    }
    return !has_tie(ties);
}

/* n_columns outputs from `column` on, a vector of channels from `channel` on; n_columns, size,
 * stride and is_part are constants at the call sites. A kernel row with a tie is added again
 * exactly. */
INLINE void tile(const limn_depthwise_job *job, size_t column, size_t channel, const bool is_exact,
                 const size_t n_columns, const size_t size, const size_t stride, const bool is_part)
{
    __m128d acc[MAX_COLUMNS], before[MAX_COLUMNS];
    UNROLL
    for (size_t j = 0; j < n_columns; j++) acc[j] = load(job->bias + channel, is_part);
    for (size_t ky = 0; ky < size; ky++) {
        if (!job->rows[ky]) continue;
        const float *x = job->rows[ky] + column * stride * job->x_stride + channel;
        const float *w = job->w + ky * size * job->w_stride + channel;
        UNROLL
        for (size_t j = 0; j < n_columns; j++) before[j] = acc[j];
        if (is_exact || !add_row(acc, x, w, job, n_columns, size, stride, is_part)) {
            if (is_part)
                add_last_exactly(job, before, x, w, n_columns);
            else
                add_pair_exactly(job, before, x, w, n_columns);
            UNROLL
            for (size_t j = 0; j < n_columns; j++) acc[j] = before[j];
        }
    }
    UNROLL
    for (size_t j = 0; j < n_columns; j++) store(job, column + j, channel, acc[j], is_part);
}

INLINE void columns(const limn_depthwise_job *job, size_t column, const bool is_exact,
                    const size_t n_columns, const size_t size, const size_t stride)
{
    size_t c = 0;
    for (; c + LANES <= job->n_channels; c += LANES)
        tile(job, column, c, is_exact, n_columns, size, stride, false);
    for (size_t j = 0; c < job->n_channels && j < n_columns; j++)
        tile(job, column + j, c, is_exact, 1, size, stride, true);
}

INLINE void row(const limn_depthwise_job *job, const bool is_exact, const size_t size,
                const size_t stride)
{
    size_t j = 0;
    for (; j + 7 <= job->n_columns; j += 7) columns(job, j, is_exact, 7, size, stride);
    for (; j + 3 <= job->n_columns; j += 3) columns(job, j, is_exact, 3, size, stride);
    for (; j < job->n_columns; j++) columns(job, j, is_exact, 1, size, stride);
}

static void add_row_to_spread(spread *s, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) add_to_spread(s, _mm_loadu_ps(x + i));
    for (; i < n; i++) add_to_spread(s, _mm_load_ss(x + i));
}

static bool are_operands_ordinary(const limn_depthwise_job *job)
{
    const size_t n_inputs = (job->n_columns - 1) * job->stride + job->size;
    spread x = no_spread(), w = x, bias = x;
    add_row_to_spread(&bias, job->bias, job->n_channels);
    for (size_t i = 0; i < job->size * job->size; i++)
        add_row_to_spread(&w, job->w + i * job->w_stride, job->n_channels);
    for (size_t ky = 0; ky < job->size; ky++)
        for (size_t i = 0; job->rows[ky] && i < n_inputs; i++)
            add_row_to_spread(&x, job->rows[ky] + i * job->x_stride, job->n_channels);
    return is_ordinary_start(exponents_of(&bias)) &&
           are_ordinary(exponents_of(&x), exponents_of(&w));
}

void limn_depthwise_sse41(const limn_depthwise_job *job)
{
    if (job->n_columns == 0) return;
    if (job->codes) {
        limn_depthwise_codes_sse41(job);
        return;
    }
    const bool is_exact = !are_operands_ordinary(job);
    if (job->size == 3 && job->stride == 1)
        row(job, is_exact, 3, 1);
    else if (job->size == 3)
        row(job, is_exact, 3, 2);
    else if (job->stride == 1)
        row(job, is_exact, 5, 1);
    else
        row(job, is_exact, 5, 2);
}

/* One output row of a depthwise convolution with AVX2 and FMA.
 *
 * A tile is 7 output columns by 8 channels (one vector each). For each kernel row, its weights are
 * held in registers and every input column is loaded once, then used by all output columns that
 * it reaches (kernel width 3, stride 1):
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

#include "common/kernels/kernel_levels.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_COLUMNS = 7, MAX_SIZE = 5, LANES = 8 };

/* The last channels, fewer than 8, are loaded and stored under a mask. */
INLINE __m256 load(const float *p, const bool is_part, __m256i mask)
{
    return is_part ? _mm256_maskload_ps(p, mask) : _mm256_loadu_ps(p);
}

INLINE void store(float *p, __m256 v, limn_activation activation, const bool is_part, __m256i mask)
{
    if (activation != LIMN_ACT_NONE) v = _mm256_max_ps(v, _mm256_setzero_ps());
    if (activation == LIMN_ACT_RELU6) v = _mm256_min_ps(v, _mm256_set1_ps(6.0f));
    if (is_part)
        _mm256_maskstore_ps(p, mask, v);
    else
        _mm256_storeu_ps(p, v);
}

/* n_columns outputs from `column` on, 8 channels from `channel` on. n_columns, size, stride,
 * is_part and the usual activations are constants at the call sites, so that every loop but the one
 * over ky is unrolled. */
INLINE void tile(const limn_depthwise_job *job, size_t column, size_t channel, __m256i mask,
                 const size_t n_columns, const size_t size, const size_t stride,
                 const limn_activation activation, const bool is_part)
{
    __m256 acc[MAX_COLUMNS], w[MAX_SIZE];
    const __m256 bias = load(job->bias + channel, is_part, mask);
    UNROLL
    for (size_t j = 0; j < n_columns; j++) acc[j] = bias;
    for (size_t ky = 0; ky < size; ky++) {
        if (!job->rows[ky]) continue;
        const float *x = job->rows[ky] + column * stride * job->x_stride + channel;
        UNROLL
        for (size_t kx = 0; kx < size; kx++)
            w[kx] = load(job->w + (ky * size + kx) * job->w_stride + channel, is_part, mask);
        UNROLL
        for (size_t c = 0; c < (n_columns - 1) * stride + size; c++) {
            const __m256 v = load(x + c * job->x_stride, is_part, mask);
            UNROLL
            for (size_t j = 0; j < n_columns; j++)
                if (c >= j * stride && c - j * stride < size)
                    acc[j] = _mm256_fmadd_ps(v, w[c - j * stride], acc[j]);
        }
    }
    UNROLL
    for (size_t j = 0; j < n_columns; j++)
        store(job->y + (column + j) * job->y_stride + channel, acc[j], activation, is_part, mask);
}

/* n_columns outputs, all channels. */
INLINE void columns(const limn_depthwise_job *job, size_t column, const size_t n_columns,
                    const size_t size, const size_t stride, const limn_activation activation)
{
    size_t c = 0;
    for (; c + LANES <= job->n_channels; c += LANES)
        tile(job, column, c, _mm256_setzero_si256(), n_columns, size, stride, activation, false);
    if (c == job->n_channels) return;
    static const int32_t ones_then_zeros[2 * LANES] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    const int32_t *mask = ones_then_zeros + LANES - (job->n_channels - c);
    for (size_t j = 0; j < n_columns; j++)
        tile(job, column + j, c, _mm256_loadu_si256((const __m256i *)mask), 1, size, stride,
             activation, true);
}

INLINE void row(const limn_depthwise_job *job, const size_t size, const size_t stride,
                const limn_activation activation)
{
    size_t j = 0;
    for (; j + 7 <= job->n_columns; j += 7) columns(job, j, 7, size, stride, activation);
    for (; j + 3 <= job->n_columns; j += 3) columns(job, j, 3, size, stride, activation);
    for (; j < job->n_columns; j++) columns(job, j, 1, size, stride, activation);
}

INLINE void any_row(const limn_depthwise_job *job, const limn_activation activation)
{
    if (job->size == 3 && job->stride == 1)
        row(job, 3, 1, activation);
    else if (job->size == 3)
        row(job, 3, 2, activation);
    else if (job->stride == 1)
        row(job, 5, 1, activation);
    else
        row(job, 5, 2, activation);
}

void limn_depthwise_avx2(const limn_depthwise_job *job)
{
    if (job->activation == LIMN_ACT_RELU6)
        any_row(job, LIMN_ACT_RELU6);
    else
        any_row(job, job->activation);
}

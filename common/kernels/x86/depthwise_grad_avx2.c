/* Backward of one output row of a depthwise convolution with AVX2 and FMA, compiled for AVX-512
 * too; read depthwise_vectors.c first. 8 channels at a time, one pass over the columns for each
 * kernel row and gradient:
 *
 *     of the weights   the sums of a kernel row stay in registers while columns pass by;
 *     of the input     a window of the input columns under the kernel moves along in registers:
 *                      each column is loaded when the kernel reaches it, stored when it has left.
 *
 * Columns are visited in order, so all sums have the order of plain C. */
#include <immintrin.h>
#include <stdbool.h>

#include "common/kernels/rows_grad_levels.h"
#include "common/kernels/x86/unroll.h"

enum { MAX_SIZE = 5, LANES = 8 };

/* Some channels of a job. The last ones, fewer than 8, are loaded and stored under a mask. */
struct lanes {
    const limn_depthwise_grad_job *job;
    size_t channel;
    __m256i mask;
    bool is_part;
};

INLINE __m256 load(const struct lanes *l, const float *p)
{
    return l->is_part ? _mm256_maskload_ps(p + l->channel, l->mask)
                      : _mm256_loadu_ps(p + l->channel);
}

INLINE void store(const struct lanes *l, float *p, __m256 v)
{
    if (l->is_part)
        _mm256_maskstore_ps(p + l->channel, l->mask, v);
    else
        _mm256_storeu_ps(p + l->channel, v);
}

INLINE void add_bias(const struct lanes *l)
{
    const limn_depthwise_grad_job *job = l->job;
    __m256 sum = load(l, job->dbias);
    for (size_t j = 0; j < job->n_columns; j++)
        sum = _mm256_add_ps(sum, load(l, job->dy + j * job->n_channels));
    store(l, job->dbias, sum);
}

INLINE void add_weights(const struct lanes *l, size_t ky, const size_t size, const size_t stride)
{
    const limn_depthwise_grad_job *job = l->job;
    const size_t n = job->n_channels;
    float *dw = job->dw + ky * size * n;
    const float *x = job->x_rows[ky];
    __m256 sums[MAX_SIZE];
    UNROLL
    for (size_t kx = 0; kx < size; kx++) sums[kx] = load(l, dw + kx * n);
    for (size_t j = 0; j < job->n_columns; j++, x += stride * n) {
        const __m256 dy = load(l, job->dy + j * n);
        UNROLL
        for (size_t kx = 0; kx < size; kx++)
            sums[kx] = _mm256_fmadd_ps(dy, load(l, x + kx * n), sums[kx]);
    }
    UNROLL
    for (size_t kx = 0; kx < size; kx++) store(l, dw + kx * n, sums[kx]);
}

INLINE void add_inputs(const struct lanes *l, size_t ky, const size_t size, const size_t stride)
{
    const limn_depthwise_grad_job *job = l->job;
    const size_t n = job->n_channels;
    float *dx = job->dx_rows[ky];
    __m256 w[MAX_SIZE], window[MAX_SIZE];
    UNROLL
    for (size_t kx = 0; kx < size; kx++) w[kx] = load(l, job->w + (ky * size + kx) * n);
    UNROLL
    for (size_t kx = 0; kx < size - stride; kx++) window[kx] = load(l, dx + kx * n);
    for (size_t j = 0; j < job->n_columns; j++, dx += stride * n) {
        const __m256 dy = load(l, job->dy + j * n);
        UNROLL
        for (size_t kx = size - stride; kx < size; kx++) window[kx] = load(l, dx + kx * n);
        UNROLL
        for (size_t kx = 0; kx < size; kx++) window[kx] = _mm256_fmadd_ps(dy, w[kx], window[kx]);
        UNROLL
        for (size_t kx = 0; kx < stride; kx++) store(l, dx + kx * n, window[kx]);
        UNROLL
        for (size_t kx = 0; kx < size - stride; kx++) window[kx] = window[kx + stride];
    }
    UNROLL
    for (size_t kx = 0; kx < size - stride; kx++) store(l, dx + kx * n, window[kx]);
}

INLINE void channels(const struct lanes *l, const size_t size, const size_t stride)
{
    for (size_t ky = 0; ky < size; ky++) {
        if (!l->job->x_rows[ky]) continue;
        add_weights(l, ky, size, stride);
        add_inputs(l, ky, size, stride);
    }
    add_bias(l);
}

INLINE void row(const limn_depthwise_grad_job *job, const size_t size, const size_t stride)
{
    static const int32_t ones_then_zeros[2 * LANES] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    struct lanes l = { .job = job, .mask = _mm256_setzero_si256() };
    for (; l.channel + LANES <= job->n_channels; l.channel += LANES) channels(&l, size, stride);
    if (l.channel == job->n_channels) return;
    const int32_t *mask = ones_then_zeros + LANES - (job->n_channels - l.channel);
    l.mask = _mm256_loadu_si256((const __m256i *)mask);
    l.is_part = true;
    channels(&l, size, stride);
}

void LIMN_LEVEL(limn_depthwise_grad)(const limn_depthwise_grad_job *job)
{
    if (job->size == 3 && job->stride == 1)
        row(job, 3, 1);
    else if (job->size == 3)
        row(job, 3, 2);
    else if (job->stride == 1)
        row(job, 5, 1);
    else
        row(job, 5, 2);
}

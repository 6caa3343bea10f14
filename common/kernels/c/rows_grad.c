/* Compiled once for each CPU level (level_name.h). */
#include "common/kernels/rows_grad.h"

#include <math.h>

#include "common/kernels/c/lanes.h"
#include "common/kernels/c/math_c.h"
#include "common/kernels/rows_grad_levels.h"

static void layer_norm(float *y, float *stats, const float *x, const float *gamma,
                       const float *beta, float eps, size_t n_rows, size_t dim)
{
    for (size_t r = 0; r < n_rows; r++, x += dim, y += dim, stats += 2) {
        const float mean = limn_lane_sum(x, dim) / (float)dim;
        const float rstd = 1.0f / sqrtf(limn_lane_squares(x, mean, dim) / (float)dim + eps);
        stats[0] = mean;
        stats[1] = rstd;
        for (size_t i = 0; i < dim; i++) y[i] = fmaf((x[i] - mean) * rstd, gamma[i], beta[i]);
    }
}

static inline void add_norm_sums(float *sum_g, float *sum_gh, float g, float h)
{
    *sum_g += g;
    *sum_gh = fmaf(g, h, *sum_gh);
}

/* With h = (x - mean) rstd and g = dy gamma: dx = rstd (g - mean(g) - h mean(g h)). */
static void layer_norm_dx(float *dx, const float *dy, const float *x, const float *stats,
                          const float *gamma, size_t n_rows, size_t dim)
{
    for (size_t r = 0; r < n_rows; r++, x += dim, dx += dim, dy += dim, stats += 2) {
        const float mean = stats[0], rstd = stats[1];
        float lane_g[LIMN_LANES] = { 0 }, lane_gh[LIMN_LANES] = { 0 };
        size_t first = 0;
        for (; first + LIMN_LANES <= dim; first += LIMN_LANES)
            for (size_t j = 0; j < LIMN_LANES; j++)
                add_norm_sums(&lane_g[j], &lane_gh[j], dy[first + j] * gamma[first + j],
                              (x[first + j] - mean) * rstd);
        for (size_t j = 0; first < dim; first++, j++)
            add_norm_sums(&lane_g[j], &lane_gh[j], dy[first] * gamma[first],
                          (x[first] - mean) * rstd);
        const float mean_g = limn_fold(lane_g) / (float)dim;
        const float mean_gh = limn_fold(lane_gh) / (float)dim;
        for (size_t i = 0; i < dim; i++) {
            const float h = (x[i] - mean) * rstd;
            dx[i] = fmaf(rstd, fmaf(-h, mean_gh, fmaf(dy[i], gamma[i], -mean_g)), dx[i]);
        }
    }
}

static void layer_norm_dweight(float *dgamma, float *dbeta, const float *dy, const float *x,
                               const float *stats, size_t n_rows, size_t dim, size_t column,
                               size_t n_columns)
{
    for (size_t r = 0; r < n_rows; r++) {
        const float mean = stats[2 * r], rstd = stats[2 * r + 1];
        const float *dyr = dy + r * dim + column, *xr = x + r * dim + column;
        for (size_t i = 0; i < n_columns; i++) {
            dgamma[i] = fmaf(dyr[i], (xr[i] - mean) * rstd, dgamma[i]);
            dbeta[i] += dyr[i];
        }
    }
}

static void column_sums(float *sums, const float *x, size_t n_rows, size_t dim, size_t column,
                        size_t n_columns)
{
    for (size_t r = 0; r < n_rows; r++)
        for (size_t i = 0; i < n_columns; i++) sums[i] += x[r * dim + column + i];
}

static void gelu(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = limn_geluf(x[i]);
}

/* gelu'(x) = Phi(x) + x phi(x), phi the normal density. */
static void gelu_dx(float *dx, const float *dy, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float cdf = fmaf(0.5f, limn_erff(x[i] * 0.70710678118654752f), 0.5f);
        const float density = 0.39894228040143268f * limn_expf(-0.5f * x[i] * x[i]);
        dx[i] = dy[i] * fmaf(x[i], density, cdf);
    }
}

static void relu6_dx(float *dx, const float *dy, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0.0f && y[i] < 6.0f ? dy[i] : 0.0f;
}

/* A 32-bit integer hash with good avalanche (C. Wellons, "lowbias32"). */
static inline uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    h ^= h >> 16;
    return h;
}

static void dropout(float *y, const float *x, uint64_t key, uint64_t first, size_t n, float rate)
{
    const uint32_t low = (uint32_t)key, high = mix((uint32_t)(key >> 32) ^ (uint32_t)(first >> 32));
    const uint32_t threshold = (uint32_t)(rate * 4294967296.0);
    const float scale = 1.0f / (1.0f - rate);
    for (size_t i = 0; i < n; i++) {
        const uint32_t draw = mix(mix((uint32_t)(first + i) ^ low) + high);
        y[i] = draw >= threshold ? x[i] * scale : 0.0f;
    }
}

/* The largest value, which does not depend on the order. */
static float lane_max(const float *x, size_t n)
{
    float lane[LIMN_LANES], max = x[0];
    size_t i = 0;
    for (size_t j = 0; j < LIMN_LANES; j++) lane[j] = max;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (size_t j = 0; j < LIMN_LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    for (size_t j = 0; j < LIMN_LANES; j++) max = lane[j] > max ? lane[j] : max;
    return max;
}

static void cross_entropy(float *logits, float *losses, const uint32_t *targets,
                          const float *weights, size_t n_rows, size_t n_tokens, float smoothing,
                          float scale)
{
    const float share = smoothing / (float)n_tokens;
    for (size_t r = 0; r < n_rows; r++) {
        float *x = logits + r * n_tokens;
        const float target = x[targets[r]], factor = scale * (weights ? weights[r] : 1.0f);
        const float max = lane_max(x, n_tokens), sum_x = limn_lane_sum(x, n_tokens);
        for (size_t i = 0; i < n_tokens; i++) x[i] = limn_expf(x[i] - max);
        const float sum = limn_lane_sum(x, n_tokens);
        losses[r] = max + limn_logf(sum) - (1.0f - smoothing) * target - share * sum_x;
        for (size_t i = 0; i < n_tokens; i++) x[i] = factor * (x[i] / sum - share);
        x[targets[r]] -= factor * (1.0f - smoothing);
    }
}

static void adamw(float *value, float *m, float *v, float *average, const float *gradient, size_t n,
                  const limn_adamw_rates *r)
{
    const limn_adamw_rates k = *r;
    for (size_t i = 0; i < n; i++) {
        const float g = gradient[i] * k.clip;
        m[i] = k.beta1 * m[i] + (1.0f - k.beta1) * g;
        v[i] = k.beta2 * v[i] + (1.0f - k.beta2) * g * g;
        value[i] = k.keep * value[i] - k.size * m[i] / (sqrtf(v[i]) / k.root + k.epsilon);
        average[i] += (1.0f - k.average_decay) * (value[i] - average[i]);
    }
}

static double squares(const float *x, size_t n)
{
    double lane[LIMN_LANES] = { 0 };
    size_t i = 0;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (size_t j = 0; j < LIMN_LANES; j++) lane[j] += (double)x[i + j] * x[i + j];
    for (size_t j = 0; i < n; i++, j++) lane[j] += (double)x[i] * x[i];
    for (size_t width = LIMN_LANES / 2; width > 0; width /= 2)
        for (size_t j = 0; j < width; j++) lane[j] += lane[j + width];
    return lane[0];
}

const limn_rows_grad LIMN_LEVEL(limn_rows_grad) = {
    .layer_norm = layer_norm,
    .layer_norm_dx = layer_norm_dx,
    .layer_norm_dweight = layer_norm_dweight,
    .gelu = gelu,
    .gelu_dx = gelu_dx,
    .relu6_dx = relu6_dx,
    .column_sums = column_sums,
    .dropout = dropout,
    .cross_entropy = cross_entropy,
    .adamw = adamw,
    .squares = squares,
    .attention_forward = LIMN_LEVEL(limn_attention_forward),
    .attention_backward = LIMN_LEVEL(limn_attention_backward),
    .depthwise = LIMN_LEVEL(limn_depthwise_grad),
    .weight_grad = LIMN_LEVEL(limn_weight_grad),
};

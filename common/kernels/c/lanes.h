/* Sums in 16 lanes, the order of every sum over a row (kernels.h): element i goes to lane i % 16,
 * then lanes are folded in halves. */
#ifndef LIMN_COMMON_KERNELS_C_LANES_H
#define LIMN_COMMON_KERNELS_C_LANES_H

#include <stddef.h>

#include "common/kernels/c/fma_c.h"

enum { LIMN_LANES = 16 };

static inline float limn_fold(float lane[LIMN_LANES])
{
    for (int half = LIMN_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    return lane[0];
}

static inline float limn_lane_sum(const float *x, size_t n)
{
    float lane[LIMN_LANES] = { 0 };
    size_t i = 0;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (int j = 0; j < LIMN_LANES; j++) lane[j] += x[i + j];
    for (int j = 0; i < n; i++, j++) lane[j] += x[i];
    return limn_fold(lane);
}

static inline float limn_lane_dot(const float *a, const float *b, size_t n)
{
    float lane[LIMN_LANES] = { 0 };
    size_t i = 0;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (int j = 0; j < LIMN_LANES; j++) lane[j] = limn_fmaf(a[i + j], b[i + j], lane[j]);
    for (int j = 0; i < n; i++, j++) lane[j] = limn_fmaf(a[i], b[i], lane[j]);
    return limn_fold(lane);
}

static inline float limn_lane_squares(const float *x, float mean, size_t n)
{
    float lane[LIMN_LANES] = { 0 };
    size_t i = 0;
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (int j = 0; j < LIMN_LANES; j++)
            lane[j] = limn_fmaf(x[i + j] - mean, x[i + j] - mean, lane[j]);
    for (int j = 0; i < n; i++, j++) lane[j] = limn_fmaf(x[i] - mean, x[i] - mean, lane[j]);
    return limn_fold(lane);
}

/* The maximum of the lanes and of n < LIMN_LANES last elements x. */
static inline float limn_fold_max(float lane[LIMN_LANES], const float *x, size_t n)
{
    for (size_t j = 0; j < n; j++) lane[j] = x[j] > lane[j] ? x[j] : lane[j];
    for (int half = LIMN_LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = lane[j + half] > lane[j] ? lane[j + half] : lane[j];
    return lane[0];
}

static inline float limn_row_max(const float *x, size_t n)
{
    float lane[LIMN_LANES]; /* NaN aside, the maximum is the same in any order */
    size_t i = 0;
    for (int j = 0; j < LIMN_LANES; j++) lane[j] = x[0];
    for (; i + LIMN_LANES <= n; i += LIMN_LANES)
        for (int j = 0; j < LIMN_LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    return limn_fold_max(lane, x + i, n - i);
}

#endif

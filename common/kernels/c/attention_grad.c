/* Compiled once for each CPU level, as rows_grad.c. */
#include <math.h>

#include "common/kernels/c/lanes.h"
#include "common/kernels/c/math_c.h"
#include "common/kernels/rows_grad_levels.h"

static inline void add_scaled(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = fmaf(a, x[i], y[i]);
}

static void softmax(float *p, size_t n)
{
    const float max = limn_row_max(p, n);
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        p[i] = limn_expf(p[i] - max);
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++) p[i] /= sum;
}

static void forward_head(float *y, float *probs, const float *q, const float *k, const float *v,
                         size_t n, const limn_attention_shape *s)
{
    const size_t head_dim = s->dim / s->n_heads;
    const float scale = 1.0f / sqrtf((float)head_dim);
    for (size_t p = 0; p < n; p++) probs[p] = scale * limn_lane_dot(q, k + p * s->dim, head_dim);
    softmax(probs, n);
    for (size_t p = n; p < s->n_rows; p++) probs[p] = 0;
    for (size_t i = 0; i < head_dim; i++) y[i] = 0;
    for (size_t p = 0; p < n; p++) add_scaled(y, probs[p], v + p * s->dim, head_dim);
}

void LIMN_LEVEL(limn_attention_forward)(float *y, float *probs, const float *q, const float *k,
                                        const float *v, const limn_attention_shape *s)
{
    const size_t head_dim = s->dim / s->n_heads;
    for (size_t r = 0; r < s->n_rows; r++)
        for (size_t h = 0; h < s->n_heads; h++) {
            const size_t at = r * s->dim + h * head_dim;
            forward_head(y + at, probs + (r * s->n_heads + h) * s->n_rows, q + at, k + h * head_dim,
                         v + h * head_dim, r + 1, s);
        }
}

/* With g_p = dy · v_p: d score_p = p_p (g_p - sum_j p_j g_j), times the scale of the scores. */
static void backward_head(float *dq, float *dk, float *dv, const float *dy, const float *probs,
                          const float *q, const float *k, const float *v, float *g, size_t n,
                          const limn_attention_shape *s)
{
    const size_t head_dim = s->dim / s->n_heads;
    const float scale = 1.0f / sqrtf((float)head_dim);
    float mean = 0;
    for (size_t p = 0; p < n; p++) {
        g[p] = limn_lane_dot(dy, v + p * s->dim, head_dim);
        mean = fmaf(probs[p], g[p], mean);
    }
    for (size_t i = 0; i < head_dim; i++) dq[i] = 0;
    for (size_t p = 0; p < n; p++) {
        const float d_score = scale * probs[p] * (g[p] - mean);
        add_scaled(dv + p * s->dim, probs[p], dy, head_dim);
        add_scaled(dq, d_score, k + p * s->dim, head_dim);
        add_scaled(dk + p * s->dim, d_score, q, head_dim);
    }
}

void LIMN_LEVEL(limn_attention_backward)(float *dq, float *dk, float *dv, const float *dy,
                                         const float *probs, const float *q, const float *k,
                                         const float *v, float *scratch,
                                         const limn_attention_shape *s)
{
    const size_t head_dim = s->dim / s->n_heads;
    for (size_t r = 0; r < s->n_rows; r++)
        for (size_t h = 0; h < s->n_heads; h++) {
            const size_t at = r * s->dim + h * head_dim, head = h * head_dim;
            backward_head(dq + at, dk + head, dv + head, dy + at,
                          probs + (r * s->n_heads + h) * s->n_rows, q + at, k + head, v + head,
                          scratch, r + 1, s);
        }
}

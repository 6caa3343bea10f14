/* Names: R rows, S positions, H floats of a head. */
#include "common/kernels/cross_attention_grad.h"

#include <math.h>
#include <string.h>

#include "common/kernels/c/lanes.h"
#include "common/kernels/kernels.h"
#include "common/kernels/pack.h"

/* One head: its shape, and where things are in the scratch memory. */
struct head {
    const limn_cross_attention *a;
    size_t n_rows, n_positions, dim; /* R, S, H */
    size_t stride, probs_stride;     /* from row to row */
    float *panels;                   /* of whatever is packed at the moment */
    float *d_scores, *transposed;    /* [R, S], [S, R] */
};

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t panel_floats(size_t n_rows, size_t n_positions, size_t head_dim)
{
    return max_size(limn_packed_floats(n_positions, head_dim),
                    limn_packed_floats(head_dim, max_size(n_rows, n_positions)));
}

size_t limn_cross_attention_floats(size_t n_rows, size_t n_positions, size_t n_heads, size_t dim)
{
    return panel_floats(n_rows, n_positions, dim / n_heads) + 2 * n_rows * n_positions;
}

static struct head begin(const limn_cross_attention *a)
{
    const size_t head_dim = a->dim / a->n_heads, n_scores = a->n_rows * a->n_positions;
    const size_t n_panel = panel_floats(a->n_rows, a->n_positions, head_dim);
    return (struct head){ .a = a,
                          .n_rows = a->n_rows,
                          .n_positions = a->n_positions,
                          .dim = head_dim,
                          .stride = a->dim,
                          .probs_stride = a->n_heads * a->n_positions,
                          .panels = a->scratch,
                          .d_scores = a->scratch + n_panel,
                          .transposed = a->scratch + n_panel + n_scores };
}

/* The head's part of x, times `scale`, as weights of S outputs and H inputs. */
static limn_packed pack_positions(const struct head *h, const float *x, float scale)
{
    const limn_packed w = limn_packed_over(h->panels, h->n_positions, h->dim);
    limn_packed_fill_strided(&w, x, h->stride, 1, scale);
    return w;
}

/* The head's part of x [n, ..] as weights of H outputs and n inputs. */
static limn_packed pack_values(const struct head *h, const float *x, size_t n)
{
    const limn_packed w = limn_packed_over(h->panels, h->dim, n);
    limn_packed_fill_strided(&w, x, 1, h->stride, 1.0f);
    return w;
}

static void multiply(const struct head *h, float *y, size_t y_stride, const float *x,
                     size_t x_stride, size_t n_rows, const limn_packed *w)
{
    limn_linear(h->a->kernels, &(limn_linear_job){ .y = y,
                                                   .x = x,
                                                   .n_rows = n_rows,
                                                   .x_stride = x_stride,
                                                   .y_stride = y_stride,
                                                   .w = w,
                                                   .panel_end = limn_n_panels(w->n_outputs) });
}

static float scale_of(const struct head *h)
{
    return 1.0f / sqrtf((float)h->dim);
}

static void forward_head(const struct head *h, float *y, float *probs, const float *q,
                         const float *k, const float *v)
{
    limn_packed w = pack_positions(h, k, scale_of(h));
    multiply(h, probs, h->probs_stride, q, h->stride, h->n_rows, &w);
    h->a->kernels->softmax(probs, h->n_rows, h->n_positions, h->probs_stride);
    w = pack_values(h, v, h->n_positions);
    multiply(h, y, h->stride, probs, h->probs_stride, h->n_rows, &w);
}

/* With g = dy · v of a row: d score = p (g - sum of p g), times the scale of the scores. */
static void softmax_backward(const struct head *h, const float *probs)
{
    for (size_t r = 0; r < h->n_rows; r++) {
        const float *p = probs + r * h->probs_stride;
        float *g = h->d_scores + r * h->n_positions;
        const float mean = limn_lane_dot(p, g, h->n_positions), scale = scale_of(h);
        for (size_t i = 0; i < h->n_positions; i++) g[i] = scale * p[i] * (g[i] - mean);
    }
}

static void transpose(const struct head *h, const float *x, size_t stride)
{
    for (size_t r = 0; r < h->n_rows; r++)
        for (size_t i = 0; i < h->n_positions; i++)
            h->transposed[i * h->n_rows + r] = x[r * stride + i];
}

/* y [S, H] = xᵀ z; x [R, S] at x_stride, z [R, H] */
static void multiply_transposed(const struct head *h, float *y, const float *x, size_t x_stride,
                                const float *z)
{
    const limn_packed w = pack_values(h, z, h->n_rows);
    transpose(h, x, x_stride);
    multiply(h, y, h->stride, h->transposed, h->n_rows, h->n_positions, &w);
}

static void backward_head(const struct head *h, float *dq, float *dk, float *dv, const float *dy,
                          const float *probs, const float *q, const float *k, const float *v)
{
    limn_packed w = pack_positions(h, v, 1.0f);
    multiply(h, h->d_scores, h->n_positions, dy, h->stride, h->n_rows, &w);
    softmax_backward(h, probs);
    w = pack_values(h, k, h->n_positions);
    multiply(h, dq, h->stride, h->d_scores, h->n_positions, h->n_rows, &w);
    multiply_transposed(h, dk, h->d_scores, h->n_positions, q);
    multiply_transposed(h, dv, probs, h->probs_stride, dy);
}

void limn_cross_attention_forward(const limn_cross_attention *a, float *y, float *probs,
                                  const float *q, const float *k, const float *v)
{
    const struct head h = begin(a);
    for (size_t at = 0; at < a->dim; at += h.dim, probs += a->n_positions)
        forward_head(&h, y + at, probs, q + at, k + at, v + at);
}

void limn_cross_attention_backward(const limn_cross_attention *a, float *dq, float *dk, float *dv,
                                   const float *dy, const float *probs, const float *q,
                                   const float *k, const float *v)
{
    const struct head h = begin(a);
    for (size_t at = 0; at < a->dim; at += h.dim, probs += a->n_positions)
        backward_head(&h, dq + at, dk + at, dv + at, dy + at, probs, q + at, k + at, v + at);
}

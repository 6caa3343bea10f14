/* Depthwise convolution in training. Compiled once for each CPU level, as rows_grad.c. */
#include <math.h>

#include "common/kernels/rows_grad_levels.h"

/* Along one side, the taps of a kernel that fall inside the picture: those from `begin` to `end`
 * read inputs first, first + 1, … */
struct taps {
    size_t begin, end, first;
};

static inline struct taps taps_inside(size_t output, size_t n_inputs, size_t pad,
                                      const limn_depthwise_shape *s)
{
    const size_t at = output * s->stride, left = n_inputs + pad - at;
    const size_t begin = at < pad ? pad - at : 0;
    return (struct taps){ begin, left < s->size ? left : s->size, at + begin - pad };
}

static void forward_pixel(float *y, const float *x, const float *w, const float *bias, size_t oy,
                          size_t ox, const limn_depthwise_shape *s)
{
    const struct taps ty = taps_inside(oy, s->height, s->pad_top, s);
    const struct taps tx = taps_inside(ox, s->width, s->pad_left, s);
    for (size_t c = 0; c < s->n_channels; c++) y[c] = bias[c];
    for (size_t ky = ty.begin; ky < ty.end; ky++)
        for (size_t kx = tx.begin; kx < tx.end; kx++) {
            const size_t iy = ty.first + ky - ty.begin, ix = tx.first + kx - tx.begin;
            const float *xi = x + (iy * s->width + ix) * s->dim;
            const float *wi = w + (ky * s->size + kx) * s->dim;
            for (size_t c = 0; c < s->n_channels; c++) y[c] = fmaf(xi[c], wi[c], y[c]);
        }
}

void LIMN_LEVEL(limn_depthwise_forward)(float *y, const float *x, const float *w,
                                        const float *bias, const limn_depthwise_shape *s)
{
    for (size_t oy = 0; oy < s->out_height; oy++)
        for (size_t ox = 0; ox < s->out_width; ox++)
            forward_pixel(y + (oy * s->out_width + ox) * s->dim, x, w, bias, oy, ox, s);
}

static void backward_pixel(float *dx, float *dw, float *dbias, const float *dy, const float *x,
                           const float *w, size_t oy, size_t ox, const limn_depthwise_shape *s)
{
    const struct taps ty = taps_inside(oy, s->height, s->pad_top, s);
    const struct taps tx = taps_inside(ox, s->width, s->pad_left, s);
    for (size_t c = 0; c < s->n_channels; c++) dbias[c] += dy[c];
    for (size_t ky = ty.begin; ky < ty.end; ky++)
        for (size_t kx = tx.begin; kx < tx.end; kx++) {
            const size_t iy = ty.first + ky - ty.begin, ix = tx.first + kx - tx.begin;
            const size_t at = (iy * s->width + ix) * s->dim, wat = (ky * s->size + kx) * s->dim;
            for (size_t c = 0; c < s->n_channels; c++) {
                dx[at + c] = fmaf(dy[c], w[wat + c], dx[at + c]);
                dw[wat + c] = fmaf(dy[c], x[at + c], dw[wat + c]);
            }
        }
}

void LIMN_LEVEL(limn_depthwise_backward)(float *dx, float *dw, float *dbias, const float *dy,
                                         const float *x, const float *w,
                                         const limn_depthwise_shape *s)
{
    for (size_t oy = 0; oy < s->out_height; oy++)
        for (size_t ox = 0; ox < s->out_width; ox++)
            backward_pixel(dx, dw, dbias, dy + (oy * s->out_width + ox) * s->dim, x, w, oy, ox,
                           s);
}

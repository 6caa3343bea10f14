#include "common/image/resize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/image/resize_linear.h"
#include "common/kernels/weigh_pixels.h"
#include "common/kernels/weigh_rows.h"

/* As in Pillow's Resample.c: weights are fixed point with 22 bits after the point, which leaves 8
 * bits for the pixel and 2 for the overshoot of the bicubic filter in an int32_t. */
#define PRECISION_BITS LIMN_WEIGH_BITS
#define MAX_SIDE 65535

typedef struct filter_shape {
    double (*weight)(double x);
    double support; /* weight is 0 from here on, on both sides */
} filter_shape;

/* How one axis is resized: output i is the sum over t < n_taps[i] of
 * weights[i * stride + t] * input[first[i] + t]. */
typedef struct axis_plan {
    uint32_t n_in, n_out;
    uint32_t n_whole, n_skipped; /* outputs of the whole axis, and those before the window */
    float from, to;              /* the part of the input that is resized */
    uint32_t stride;             /* most taps of an output */
    uint32_t *first, *n_taps;    /* [n_out] */
    int32_t *weights;            /* [n_out, stride], fixed point */
    double *exact;               /* [stride], while planning */
} axis_plan;

static double bilinear_weight(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -0.5; the order of operations is Pillow's. */
static double bicubic_weight(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

const char *const limn_resize_filter_names[] = { "bilinear", "bicubic", "linear", NULL };

/* Of the antialiased ones. */
static const filter_shape filters[] = {
    [LIMN_RESIZE_BILINEAR] = { bilinear_weight, 1.0 },
    [LIMN_RESIZE_BICUBIC] = { bicubic_weight, 2.0 },
};

static double axis_scale(const axis_plan *p)
{
    return (double)(p->to - p->from) / p->n_whole;
}

/* Half the width of the filter on the input, in pixels: it widens when the image shrinks. */
static double axis_support(const axis_plan *p, const filter_shape *filter)
{
    return filter->support * fmax(axis_scale(p), 1.0);
}

static uint32_t axis_stride(const axis_plan *p, const filter_shape *filter)
{
    double n = ceil(axis_support(p, filter)) * 2 + 1;
    return n < p->n_in ? (uint32_t)n : p->n_in;
}

static int32_t to_fixed_point(double weight)
{
    double scaled = weight * (1 << PRECISION_BITS);
    return (int32_t)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

static void plan_output(axis_plan *p, const filter_shape *filter, uint32_t i)
{
    double scale = axis_scale(p), support = axis_support(p, filter);
    double center = p->from + (i + p->n_skipped + 0.5) * scale, inverse = 1.0 / fmax(scale, 1.0),
           total = 0.0;
    double from = center - support + 0.5, to = center + support + 0.5;
    uint32_t first = from < 0 ? 0 : (uint32_t)from;
    uint32_t end = to > p->n_in ? p->n_in : (uint32_t)to;
    uint32_t n_taps = end - first;
    int32_t *weights = p->weights + (size_t)i * p->stride;
    assert(n_taps > 0 && n_taps <= p->stride);
    for (uint32_t t = 0; t < n_taps; t++) {
        p->exact[t] = filter->weight(((double)t + first - center + 0.5) * inverse);
        total += p->exact[t];
    }
    for (uint32_t t = 0; t < n_taps; t++)
        weights[t] = to_fixed_point(total != 0.0 ? p->exact[t] / total : p->exact[t]);
    p->first[i] = first;
    p->n_taps[i] = n_taps;
}

static void plan_axis(axis_plan *p, const filter_shape *filter)
{
    for (uint32_t i = 0; i < p->n_out; i++) plan_output(p, filter, i);
}

/* out [n_rows, n_out, 3] from in [n_rows, n_in, 3] */
static void resize_rows(uint8_t *out, const uint8_t *in, const axis_plan *p, size_t n_rows)
{
    const limn_weigh_pixels_job job = { .out = out,
                                        .in = in,
                                        .n_rows = n_rows,
                                        .n_in = p->n_in,
                                        .n_out = p->n_out,
                                        .stride = p->stride,
                                        .first = p->first,
                                        .n_taps = p->n_taps,
                                        .weights = p->weights };
    limn_weigh_pixels_choose()(&job);
}

/* out [n_out, n_bytes] from in [n_in, n_bytes] */
static void resize_columns(uint8_t *out, const uint8_t *in, const axis_plan *p, size_t n_bytes)
{
    limn_weigh_rows_fn *weigh_rows = limn_weigh_rows_choose();
    for (uint32_t i = 0; i < p->n_out; i++, out += n_bytes)
        weigh_rows(out, in + p->first[i] * n_bytes, p->weights + (size_t)i * p->stride,
                   p->n_taps[i], n_bytes);
}

/* All that one resizing needs, laid out in the scratch block. */
typedef struct resize_job {
    const filter_shape *filter;
    axis_plan x, y;
    bool is_vertical_first;
    uint8_t *between; /* what the first pass gives to the second */
} resize_job;

static bool is_copied(const axis_plan *p)
{
    return p->n_in == p->n_out && p->n_in == p->n_whole && p->from == 0 && p->to == p->n_in;
}

/* Pillow's rule since its version 13, seen from outside: the vertical pass comes first when it
 * takes away more than twice as many rows as the other takes away columns. */
static bool is_vertical_first(const axis_plan *x, const axis_plan *y)
{
    uint32_t n_columns_less = x->n_in > x->n_whole ? x->n_in - x->n_whole : 0;
    return y->n_in > y->n_whole && y->n_in - y->n_whole > 2 * n_columns_less;
}

static void lay_out_axis(axis_plan *p, const filter_shape *filter, limn_arena *a)
{
    size_t n_weights;
    if (is_copied(p)) return;
    p->stride = axis_stride(p, filter);
    p->first = limn_arena_take(a, p->n_out, sizeof *p->first);
    p->n_taps = limn_arena_take(a, p->n_out, sizeof *p->n_taps);
    p->exact = limn_arena_take(a, p->stride, sizeof *p->exact);
    if (!limn_size_mul(&n_weights, p->n_out, p->stride)) n_weights = SIZE_MAX;
    p->weights = limn_arena_take(a, n_weights, sizeof *p->weights);
}

static void lay_out(resize_job *job, limn_arena *a)
{
    size_t row_size = (size_t)(job->is_vertical_first ? job->x.n_in : job->x.n_out) * 3;
    lay_out_axis(&job->x, job->filter, a);
    lay_out_axis(&job->y, job->filter, a);
    if (!is_copied(&job->x) && !is_copied(&job->y))
        job->between =
            limn_arena_take(a, job->is_vertical_first ? job->y.n_out : job->y.n_in, row_size);
}

static limn_status reserve(resize_job *job, limn_resize_scratch *scratch, limn_error *err)
{
    limn_arena a;
    limn_arena_init_counting(&a);
    lay_out(job, &a);
    if (a.has_failed)
        return limn_fail(err, LIMN_E_NOMEM, "resize: scratch memory is too large to count");
    if (a.high > scratch->size) {
        limn_resize_scratch_finish(scratch);
        scratch->block = limn_alloc_aligned(a.high, 1);
        if (!scratch->block)
            return limn_fail(err, LIMN_E_NOMEM, "resize: no memory for %zu bytes", a.high);
        scratch->size = a.high;
    }
    a = (limn_arena){ .base = scratch->block, .size = scratch->size };
    lay_out(job, &a);
    return LIMN_OK;
}

/* A pass that would change nothing is left out, as it is in Pillow. */
static void run(const resize_job *job, uint8_t *dst, const uint8_t *src)
{
    if (is_copied(&job->x) && is_copied(&job->y)) {
        memcpy(dst, src, (size_t)job->x.n_in * 3 * job->y.n_in);
    } else if (is_copied(&job->x)) {
        resize_columns(dst, src, &job->y, (size_t)job->x.n_in * 3);
    } else if (is_copied(&job->y)) {
        resize_rows(dst, src, &job->x, job->y.n_in);
    } else if (job->is_vertical_first) {
        resize_columns(job->between, src, &job->y, (size_t)job->x.n_in * 3);
        resize_rows(dst, job->between, &job->x, job->y.n_out);
    } else {
        resize_rows(job->between, src, &job->x, job->y.n_in);
        resize_columns(dst, job->between, &job->y, (size_t)job->x.n_out * 3);
    }
}

static limn_status check_side(const char *name, uint32_t side, limn_error *err)
{
    if (side < 1 || side > MAX_SIDE)
        return limn_fail(err, LIMN_E_ARG, "resize: %s %u is not within 1 and %u", name, side,
                         MAX_SIDE);
    return LIMN_OK;
}

static limn_status check_range(const char *name, const axis_plan *p, limn_error *err)
{
    if (!(p->from >= 0 && p->from < p->to && p->to <= p->n_in))
        return limn_fail(err, LIMN_E_ARG, "resize: %s %g to %g are not within 0 and %u", name,
                         (double)p->from, (double)p->to, p->n_in);
    return LIMN_OK;
}

static limn_status check_window(const char *name, const axis_plan *p, limn_error *err)
{
    if (p->n_skipped > p->n_whole || p->n_out > p->n_whole - p->n_skipped)
        return limn_fail(err, LIMN_E_ARG, "resize: %s %u and %u more are not within %u", name,
                         p->n_skipped, p->n_out, p->n_whole);
    return LIMN_OK;
}

static limn_linear_axis linear_axis(const axis_plan *p)
{
    return (limn_linear_axis){ p->n_in, p->n_out, p->n_whole, p->n_skipped, p->from, p->to };
}

limn_status limn_resize_into_window(uint8_t *dst, const limn_resize_window *window,
                                    const uint8_t *src, uint32_t src_width, uint32_t src_height,
                                    const limn_resize_box *box, limn_resize_filter filter,
                                    limn_resize_scratch *scratch, limn_error *err)
{
    resize_job job = {
        .filter = &filters[filter == LIMN_RESIZE_LINEAR ? 0 : filter],
        .x = { .n_in = src_width,
               .n_out = window->width,
               .n_whole = window->whole_width,
               .n_skipped = window->left,
               .from = box->left,
               .to = box->right },
        .y = { .n_in = src_height,
               .n_out = window->height,
               .n_whole = window->whole_height,
               .n_skipped = window->top,
               .from = box->top,
               .to = box->bottom },
    };
    LIMN_TRY(check_side("source width", src_width, err));
    LIMN_TRY(check_side("source height", src_height, err));
    LIMN_TRY(check_side("width", window->width, err));
    LIMN_TRY(check_side("height", window->height, err));
    LIMN_TRY(check_window("columns", &job.x, err));
    LIMN_TRY(check_window("rows", &job.y, err));
    LIMN_TRY(check_range("columns", &job.x, err));
    LIMN_TRY(check_range("rows", &job.y, err));
    if (filter == LIMN_RESIZE_LINEAR) {
        const limn_linear_axis x = linear_axis(&job.x), y = linear_axis(&job.y);
        limn_resize_linear(dst, src, &x, &y);
        return LIMN_OK;
    }
    job.is_vertical_first = is_vertical_first(&job.x, &job.y);
    LIMN_TRY(reserve(&job, scratch, err));
    if (!is_copied(&job.x)) plan_axis(&job.x, job.filter);
    if (!is_copied(&job.y)) plan_axis(&job.y, job.filter);
    run(&job, dst, src);
    return LIMN_OK;
}

limn_status limn_resize_part(uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                             const uint8_t *src, uint32_t src_width, uint32_t src_height,
                             const limn_resize_box *box, limn_resize_filter filter,
                             limn_resize_scratch *scratch, limn_error *err)
{
    const limn_resize_window all = { dst_width, dst_height, 0, 0, dst_width, dst_height };
    return limn_resize_into_window(dst, &all, src, src_width, src_height, box, filter, scratch,
                                   err);
}

limn_status limn_resize(uint8_t *dst, uint32_t dst_width, uint32_t dst_height, const uint8_t *src,
                        uint32_t src_width, uint32_t src_height, limn_resize_filter filter,
                        limn_resize_scratch *scratch, limn_error *err)
{
    const limn_resize_box whole = { 0, 0, (float)src_width, (float)src_height };
    return limn_resize_part(dst, dst_width, dst_height, src, src_width, src_height, &whole, filter,
                            scratch, err);
}

void limn_resize_scratch_finish(limn_resize_scratch *s)
{
    limn_free(s->block);
    *s = (limn_resize_scratch){ 0 };
}

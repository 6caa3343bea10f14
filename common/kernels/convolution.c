#include "common/kernels/convolution.h"

#include <string.h>

/* Floats of patches in use at once: what may be taken of an L2 cache of 1 MB or more. */
enum { STRIP_BUDGET = 160 * 1024 };

static size_t patch_size(const limn_convolution *c)
{
    return c->kernel * c->kernel * c->n_inputs;
}

void limn_convolution_plan(limn_convolution *c)
{
    const size_t n_zeros = 2 * c->n_before;
    c->output_width = (c->width + n_zeros - c->kernel) / c->stride + 1;
    c->output_height = (c->height + n_zeros - c->kernel) / c->stride + 1;
    c->strip_rows = 0;
    if (c->kernel == 1 && c->stride == 1 && c->n_before == 0) return;
    c->strip_rows = STRIP_BUDGET / (c->output_width * patch_size(c));
    if (c->strip_rows < 1) c->strip_rows = 1;
    if (c->strip_rows > c->output_height) c->strip_rows = c->output_height;
}

size_t limn_convolution_patch_floats(const limn_convolution *c)
{
    return c->strip_rows * c->output_width * patch_size(c);
}

/* A strip in progress, seen by all threads that work on it. */
typedef struct strip {
    const limn_kernels *k;
    const limn_convolution_job *job;
    size_t first_row;
    limn_linear_job product;
    size_t n_parts;
    bool is_cut_by_rows; /* else by panels */
} strip;

/* ---- patches ---- */

/* Copies a patch's part of a map row: `kernel` positions from column - n_before on. */
static void copy_row(float *out, const limn_convolution *c, const float *row, size_t column)
{
    const size_t n = c->n_inputs, end = c->n_before + c->width; /* in padded columns */
    const size_t first = column > c->n_before ? column : c->n_before;
    const size_t last = column + c->kernel < end ? column + c->kernel : end;
    if (!row || first >= last) {
        memset(out, 0, c->kernel * n * sizeof *out);
        return;
    }
    memset(out, 0, (first - column) * n * sizeof *out);
    memcpy(out + (first - column) * n, row + (first - c->n_before) * n,
           (last - first) * n * sizeof *out);
    memset(out + (last - column) * n, 0, (column + c->kernel - last) * n * sizeof *out);
}

static void make_patches(void *ctx, size_t item, size_t worker)
{
    const strip *s = ctx;
    const limn_convolution *c = s->job->shape;
    const size_t row_size = c->width * c->n_inputs, patch_row = c->kernel * c->n_inputs;
    float *out = s->job->patches + item * c->output_width * patch_size(c);
    (void)worker;
    for (size_t j = 0; j < c->output_width; j++)
        for (size_t ky = 0; ky < c->kernel; ky++, out += patch_row) {
            const size_t y = (s->first_row + item) * c->stride + ky;
            const bool is_inside = y >= c->n_before && y - c->n_before < c->height;
            copy_row(out, c, is_inside ? s->job->x + (y - c->n_before) * row_size : NULL,
                     j * c->stride);
        }
}

/* ---- products ---- */

static void multiply_part(void *ctx, size_t part, size_t worker)
{
    const strip *s = ctx;
    limn_linear_job job = s->product;
    (void)worker;
    if (s->is_cut_by_rows) {
        const size_t first = job.n_rows * part / s->n_parts;
        const size_t end = job.n_rows * (part + 1) / s->n_parts;
        job.x += first * job.x_stride;
        job.y += first * job.y_stride;
        if (job.residual) job.residual += first * job.y_stride;
        job.n_rows = end - first;
    } else {
        job.panel_begin = s->product.panel_end * part / s->n_parts;
        job.panel_end = s->product.panel_end * (part + 1) / s->n_parts;
    }
    limn_linear(s->k, &job);
}

static void run_strip(strip *s, limn_pool *pool, size_t n_rows)
{
    const limn_convolution_job *job = s->job;
    const limn_convolution *c = job->shape;
    const size_t at = s->first_row * c->output_width * c->n_outputs;
    if (c->strip_rows > 0) limn_pool_run(pool, n_rows, make_patches, s);
    s->product = (limn_linear_job){
        .y = job->y + at,
        .x = c->strip_rows > 0 ? job->patches : job->x,
        .residual = job->residual ? job->residual + at : NULL,
        .n_rows = n_rows * c->output_width,
        .x_stride = patch_size(c),
        .y_stride = c->n_outputs,
        .w = job->w,
        .panel_end = limn_n_panels(c->n_outputs),
        .activation = job->activation,
        .block = LIMN_SUM_BLOCK,
    };
    s->is_cut_by_rows = s->product.panel_end < s->n_parts;
    limn_pool_run(pool, s->n_parts, multiply_part, s);
}

void limn_convolution_run(const limn_kernels *k, limn_pool *pool, const limn_convolution_job *job)
{
    const limn_convolution *c = job->shape;
    const size_t step = c->strip_rows > 0 ? c->strip_rows : c->output_height;
    strip s = { .k = k, .job = job, .n_parts = limn_pool_n_threads(pool) };
    for (; s.first_row < c->output_height; s.first_row += step) {
        const size_t n_left = c->output_height - s.first_row;
        run_strip(&s, pool, n_left < step ? n_left : step);
    }
}

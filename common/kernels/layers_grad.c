#include "common/kernels/layers_grad.h"

#include <string.h>

/* How loops are split: the pieces depend on sizes only, never on the number of threads. */
enum { ROWS_PER_ITEM = 64, COLUMNS_PER_ITEM = 64, VALUES_PER_ITEM = 32768 };
/* Rows of a product in a piece: 8 tiles of the kernel. */
enum { PRODUCT_ROWS = 112, MIN_PIECES = 8 };

static size_t n_pieces(size_t n, size_t piece)
{
    return (n + piece - 1) / piece;
}

static size_t piece_size(size_t n, size_t piece, size_t item)
{
    const size_t left = n - item * piece;
    return left < piece ? left : piece;
}

/* ---- linear ------------------------------------------------------------------------------ */

void limn_linear_take(limn_linear_params *p, limn_arena *arena, size_t n_out, size_t n_in,
                      bool has_bias)
{
    p->forward = limn_packed_take(arena, n_out, n_in, has_bias);
    p->backward = limn_packed_take(arena, n_in, n_out, false);
}

void limn_linear_pack(const limn_linear_params *p)
{
    limn_packed_fill(&p->forward, p->weight.value, p->bias.value);
    limn_packed_fill_transposed(&p->backward, p->weight.value, NULL);
}

/* A product is split into pieces of rows and, where rows are few, of panels. Each output is a
 * separate sum, so splitting changes no bits. */
struct product_job {
    const limn_kernels *kernels;
    limn_linear_job job;
    size_t n_panel_pieces;
};

static void run_piece(void *ctx, size_t item, size_t worker)
{
    const struct product_job *p = ctx;
    limn_linear_job job = p->job;
    const size_t n_panels = limn_n_panels(job.w->n_outputs);
    const size_t rows = item / p->n_panel_pieces, panels = item % p->n_panel_pieces;
    const size_t first = rows * PRODUCT_ROWS;
    (void)worker;
    job.n_rows = piece_size(p->job.n_rows, PRODUCT_ROWS, rows);
    job.x += first * job.x_stride;
    job.y += first * job.y_stride;
    if (job.residual) job.residual += first * job.y_stride;
    job.panel_begin = n_panels * panels / p->n_panel_pieces;
    job.panel_end = n_panels * (panels + 1) / p->n_panel_pieces;
    limn_linear(p->kernels, &job);
}

/* y [n_rows, n_outputs] = x [n_rows, n_inputs] Wᵀ + b (+ y) */
static void multiply(const limn_layer_ctx *ctx, float *y, const float *x, size_t n_rows,
                     const limn_packed *w, bool accumulates)
{
    const size_t n_row_pieces = n_pieces(n_rows, PRODUCT_ROWS);
    if (n_rows == 0) return;
    struct product_job p = {
        .kernels = ctx->kernels,
        .job = { .y = y,
                 .x = x,
                 .residual = accumulates ? y : NULL,
                 .n_rows = n_rows,
                 .x_stride = w->n_inputs,
                 .y_stride = w->n_outputs,
                 .w = w },
        .n_panel_pieces = n_pieces(MIN_PIECES, n_row_pieces),
    };
    limn_pool_run(ctx->pool, n_row_pieces * p.n_panel_pieces, run_piece, &p);
}

void limn_linear_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n_rows,
                         const limn_linear_params *p)
{
    multiply(ctx, y, x, n_rows, &p->forward, false);
}

struct column_job {
    const limn_rows_grad *rows;
    float *sums, *gamma_sums; /* gamma_sums only for norms */
    const float *dy, *x, *stats;
    size_t n_rows, dim;
};

static void sum_columns(void *ctx, size_t item, size_t worker)
{
    const struct column_job *j = ctx;
    const size_t column = item * COLUMNS_PER_ITEM;
    (void)worker;
    j->rows->column_sums(j->sums + column, j->dy, j->n_rows, j->dim, column,
                         piece_size(j->dim, COLUMNS_PER_ITEM, item));
}

struct gradient_job {
    const limn_rows_grad *rows;
    limn_weight_grad_job job;
    size_t n_output_pieces, n_input_pieces;
};

static void run_gradient_piece(void *ctx, size_t item, size_t worker)
{
    const struct gradient_job *g = ctx;
    const size_t o = item / g->n_input_pieces, i = item % g->n_input_pieces;
    const size_t n_outputs = g->job.n_outputs, n_inputs = g->job.n_inputs;
    const size_t output = n_outputs * o / g->n_output_pieces;
    const size_t input = n_inputs * i / g->n_input_pieces;
    limn_weight_grad_job job = g->job;
    (void)worker;
    job.n_outputs = n_outputs * (o + 1) / g->n_output_pieces - output;
    job.n_inputs = n_inputs * (i + 1) / g->n_input_pieces - input;
    job.dw += output * job.dw_stride + input;
    job.dy += output;
    job.x += input;
    g->rows->weight_grad(&job);
}

static void add_weight_gradient(const limn_layer_ctx *ctx, const limn_linear_params *p,
                                const float *dy, const float *x, size_t n_rows)
{
    struct gradient_job g = { .rows = ctx->rows,
                              .job = { .dw = p->weight.gradient,
                                       .dy = dy,
                                       .x = x,
                                       .n_outputs = p->n_out,
                                       .n_inputs = p->n_in,
                                       .n_rows = n_rows,
                                       .dw_stride = p->n_in,
                                       .dy_stride = p->n_out,
                                       .x_stride = p->n_in },
                              .n_output_pieces = n_pieces(p->n_out, LIMN_WEIGHT_GRAD_OUTPUTS),
                              .n_input_pieces = n_pieces(p->n_in, LIMN_WEIGHT_GRAD_INPUTS) };
    limn_pool_run(ctx->pool, g.n_output_pieces * g.n_input_pieces, run_gradient_piece, &g);
}

void limn_linear_backward(const limn_layer_ctx *ctx, float *dx, bool accumulates, const float *dy,
                          const float *x, size_t n_rows, const limn_linear_params *p)
{
    struct column_job bias = {
        .rows = ctx->rows, .sums = p->bias.gradient, .dy = dy, .n_rows = n_rows, .dim = p->n_out
    };
    if (p->bias.gradient)
        limn_pool_run(ctx->pool, n_pieces(p->n_out, COLUMNS_PER_ITEM), sum_columns, &bias);
    add_weight_gradient(ctx, p, dy, x, n_rows);
    if (dx) multiply(ctx, dx, dy, n_rows, &p->backward, accumulates);
}

/* ---- layer norm -------------------------------------------------------------------------- */

struct norm_job {
    const limn_rows_grad *rows;
    const limn_norm_params *p;
    float *out, *stats;
    const float *dy, *x, *kept_stats;
    size_t n_rows;
};

static void norm_rows(void *ctx, size_t item, size_t worker)
{
    const struct norm_job *j = ctx;
    const size_t first = item * ROWS_PER_ITEM, at = first * j->p->dim;
    (void)worker;
    j->rows->layer_norm(j->out + at, j->stats + 2 * first, j->x + at, j->p->gamma.value,
                        j->p->beta.value, 1e-5f, piece_size(j->n_rows, ROWS_PER_ITEM, item),
                        j->p->dim);
}

static void norm_dx_rows(void *ctx, size_t item, size_t worker)
{
    const struct norm_job *j = ctx;
    const size_t first = item * ROWS_PER_ITEM, at = first * j->p->dim;
    (void)worker;
    j->rows->layer_norm_dx(j->out + at, j->dy + at, j->x + at, j->kept_stats + 2 * first,
                           j->p->gamma.value, piece_size(j->n_rows, ROWS_PER_ITEM, item),
                           j->p->dim);
}

static void norm_dweight_columns(void *ctx, size_t item, size_t worker)
{
    const struct column_job *j = ctx;
    const size_t column = item * COLUMNS_PER_ITEM;
    (void)worker;
    j->rows->layer_norm_dweight(j->gamma_sums + column, j->sums + column, j->dy, j->x, j->stats,
                                j->n_rows, j->dim, column,
                                piece_size(j->dim, COLUMNS_PER_ITEM, item));
}

void limn_norm_forward(const limn_layer_ctx *ctx, float *y, float *stats, const float *x,
                       size_t n_rows, const limn_norm_params *p)
{
    struct norm_job job = {
        .rows = ctx->rows, .p = p, .out = y, .stats = stats, .x = x, .n_rows = n_rows
    };
    limn_pool_run(ctx->pool, n_pieces(n_rows, ROWS_PER_ITEM), norm_rows, &job);
}

void limn_norm_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        const float *stats, size_t n_rows, const limn_norm_params *p)
{
    struct norm_job job = { .rows = ctx->rows,
                            .p = p,
                            .out = dx,
                            .dy = dy,
                            .x = x,
                            .kept_stats = stats,
                            .n_rows = n_rows };
    struct column_job columns = { .rows = ctx->rows,
                                  .sums = p->beta.gradient,
                                  .gamma_sums = p->gamma.gradient,
                                  .dy = dy,
                                  .x = x,
                                  .stats = stats,
                                  .n_rows = n_rows,
                                  .dim = p->dim };
    limn_pool_run(ctx->pool, n_pieces(p->dim, COLUMNS_PER_ITEM), norm_dweight_columns, &columns);
    limn_pool_run(ctx->pool, n_pieces(n_rows, ROWS_PER_ITEM), norm_dx_rows, &job);
}

/* ---- element by element ------------------------------------------------------------------ */

struct value_job {
    const limn_rows_grad *rows;
    float *y;
    const float *x, *dy, *residual;
    size_t n;
    limn_dropout dropout;
};

static void drop(const struct value_job *j, size_t at, size_t n, float *y, const float *x)
{
    j->rows->dropout(y, x, j->dropout.key, at, n, j->dropout.rate);
}

static void dropout_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM, n = piece_size(j->n, VALUES_PER_ITEM, item);
    float *y = j->y + at;
    const float *x = j->x + at;
    (void)worker;
    if (j->dropout.rate > 0)
        drop(j, at, n, y, x);
    else if (y != x)
        memcpy(y, x, n * sizeof *y);
    if (j->residual)
        for (size_t i = 0; i < n; i++) y[i] += j->residual[at + i];
}

static void gelu_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM, n = piece_size(j->n, VALUES_PER_ITEM, item);
    (void)worker;
    j->rows->gelu(j->y + at, j->x + at, n);
    if (j->dropout.rate > 0) drop(j, at, n, j->y + at, j->y + at);
}

static void gelu_dx_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM, n = piece_size(j->n, VALUES_PER_ITEM, item);
    const float *dy = j->dy + at;
    (void)worker;
    if (j->dropout.rate > 0) {
        drop(j, at, n, j->y + at, dy);
        dy = j->y + at;
    }
    j->rows->gelu_dx(j->y + at, dy, j->x + at, n);
}

static void run_values(const limn_layer_ctx *ctx, limn_pool_fn *fn, struct value_job job)
{
    job.rows = ctx->rows;
    limn_pool_run(ctx->pool, n_pieces(job.n, VALUES_PER_ITEM), fn, &job);
}

void limn_dropout_apply(const limn_layer_ctx *ctx, float *y, const float *x, const float *residual,
                        size_t n, limn_dropout dropout)
{
    run_values(
        ctx, dropout_values,
        (struct value_job){ .y = y, .x = x, .residual = residual, .n = n, .dropout = dropout });
}

void limn_gelu_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n,
                       limn_dropout dropout)
{
    run_values(ctx, gelu_values, (struct value_job){ .y = y, .x = x, .n = n, .dropout = dropout });
}

void limn_gelu_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        size_t n, limn_dropout dropout)
{
    run_values(ctx, gelu_dx_values,
               (struct value_job){ .y = dx, .dy = dy, .x = x, .n = n, .dropout = dropout });
}

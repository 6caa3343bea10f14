#include "common/kernels/layers_grad.h"

#include <string.h>

#include "common/kernels/gemm.h"

/* How loops are cut: the pieces depend on sizes only, never on the number of threads. */
enum { ROWS_PER_ITEM = 64, COLUMNS_PER_ITEM = 64, VALUES_PER_ITEM = 32768 };

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

struct bias_job {
    float *y;
    const float *bias;
    size_t n_rows, n_out;
};

static void fill_bias(void *ctx, size_t item, size_t worker)
{
    const struct bias_job *j = ctx;
    const size_t first = item * ROWS_PER_ITEM, n = piece_size(j->n_rows, ROWS_PER_ITEM, item);
    (void)worker;
    for (size_t r = first; r < first + n; r++)
        memcpy(j->y + r * j->n_out, j->bias, j->n_out * sizeof *j->y);
}

void limn_linear_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n_rows,
                         const limn_linear_params *p)
{
    struct bias_job bias = { y, p->bias.value, n_rows, p->n_out };
    limn_pool_run(ctx->pool, n_pieces(n_rows, ROWS_PER_ITEM), fill_bias, &bias);
    limn_gemm(ctx->pool, &(limn_gemm_job){ .c = y, .a = x, .b = p->weight.value, .m = n_rows,
                                           .n = p->n_out, .k = p->n_in,
                                           .b_is_transposed = true, .accumulates = true });
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

void limn_linear_backward(const limn_layer_ctx *ctx, float *dx, bool accumulates, const float *dy,
                          const float *x, size_t n_rows, const limn_linear_params *p)
{
    struct column_job bias = { .rows = ctx->rows, .sums = p->bias.gradient, .dy = dy,
                               .n_rows = n_rows, .dim = p->n_out };
    limn_pool_run(ctx->pool, n_pieces(p->n_out, COLUMNS_PER_ITEM), sum_columns, &bias);
    limn_gemm(ctx->pool, &(limn_gemm_job){ .c = p->weight.gradient, .a = dy, .b = x, .m = p->n_out,
                                           .n = p->n_in, .k = n_rows, .a_is_transposed = true,
                                           .accumulates = true });
    if (dx)
        limn_gemm(ctx->pool, &(limn_gemm_job){ .c = dx, .a = dy, .b = p->weight.value,
                                               .m = n_rows, .n = p->n_in, .k = p->n_out,
                                               .accumulates = accumulates });
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
    struct norm_job job = { .rows = ctx->rows, .p = p, .out = y, .stats = stats, .x = x,
                            .n_rows = n_rows };
    limn_pool_run(ctx->pool, n_pieces(n_rows, ROWS_PER_ITEM), norm_rows, &job);
}

void limn_norm_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        const float *stats, size_t n_rows, const limn_norm_params *p)
{
    struct norm_job job = { .rows = ctx->rows, .p = p, .out = dx, .dy = dy, .x = x,
                            .kept_stats = stats, .n_rows = n_rows };
    struct column_job columns = { .rows = ctx->rows, .sums = p->beta.gradient,
                                  .gamma_sums = p->gamma.gradient, .dy = dy, .x = x,
                                  .stats = stats, .n_rows = n_rows, .dim = p->dim };
    limn_pool_run(ctx->pool, n_pieces(p->dim, COLUMNS_PER_ITEM), norm_dweight_columns, &columns);
    limn_pool_run(ctx->pool, n_pieces(n_rows, ROWS_PER_ITEM), norm_dx_rows, &job);
}

/* ---- element by element ------------------------------------------------------------------ */

struct value_job {
    const limn_rows_grad *rows;
    float *y;
    const float *x, *dy;
    size_t n;
    uint64_t key;
    float rate;
};

static void gelu_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM;
    (void)worker;
    j->rows->gelu(j->y + at, j->x + at, piece_size(j->n, VALUES_PER_ITEM, item));
}

static void gelu_dx_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM;
    (void)worker;
    j->rows->gelu_dx(j->y + at, j->dy + at, j->x + at, piece_size(j->n, VALUES_PER_ITEM, item));
}

static void dropout_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM;
    (void)worker;
    j->rows->dropout(j->y + at, j->key, at, piece_size(j->n, VALUES_PER_ITEM, item), j->rate);
}

static void add_values(void *ctx, size_t item, size_t worker)
{
    const struct value_job *j = ctx;
    const size_t at = item * VALUES_PER_ITEM, n = piece_size(j->n, VALUES_PER_ITEM, item);
    (void)worker;
    for (size_t i = at; i < at + n; i++) j->y[i] += j->x[i];
}

static void run_values(const limn_layer_ctx *ctx, limn_pool_fn *fn, struct value_job job)
{
    job.rows = ctx->rows;
    limn_pool_run(ctx->pool, n_pieces(job.n, VALUES_PER_ITEM), fn, &job);
}

void limn_gelu_forward(const limn_layer_ctx *ctx, float *y, const float *x, size_t n)
{
    run_values(ctx, gelu_values, (struct value_job){ .y = y, .x = x, .n = n });
}

void limn_gelu_backward(const limn_layer_ctx *ctx, float *dx, const float *dy, const float *x,
                        size_t n)
{
    run_values(ctx, gelu_dx_values, (struct value_job){ .y = dx, .dy = dy, .x = x, .n = n });
}

void limn_dropout_apply(const limn_layer_ctx *ctx, float *x, size_t n, uint64_t key, float rate)
{
    if (rate > 0)
        run_values(ctx, dropout_values,
                   (struct value_job){ .y = x, .n = n, .key = key, .rate = rate });
}

void limn_add_to(const limn_layer_ctx *ctx, float *y, const float *x, size_t n)
{
    run_values(ctx, add_values, (struct value_job){ .y = y, .x = x, .n = n });
}

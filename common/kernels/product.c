#include "common/kernels/product.h"

/* For few rows: panels that one thread takes at a time, and the smallest product worth splitting.
 * From MANY_ROWS rows on, widening pays off. */
enum { PANELS_PER_ITEM = 12, MIN_PANELS_TO_SPLIT = 48, MANY_ROWS = 32 };
/* For many rows: panels and rows of an item, and items per thread, so that a preempted thread holds
 * up the others only briefly. */
enum { PANELS_OF_MANY = 4, LEAST_ROWS = 14, ITEMS_PER_THREAD = 4 };
/* Floats of widened weights that stay in an L2 cache. */
enum { WIDENED_BUDGET = 1 << 18 };
enum { ROWS_TO_NORM = 32 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* ---- sharing out --------------------------------------------------------------------------- */

/* A job split into a grid of row parts and panel parts, shared by all threads. */
typedef struct grid {
    const limn_kernels *kernels;
    limn_linear_job job; /* all of it */
    size_t n_row_parts, panels_per_part, n_panel_parts;
} grid;

static void run_part(void *ctx, size_t item, size_t worker)
{
    const grid *g = ctx;
    limn_linear_job part = g->job;
    const size_t row_part = item % g->n_row_parts, panel_part = item / g->n_row_parts;
    const size_t first = part.n_rows * row_part / g->n_row_parts;
    const size_t end = part.n_rows * (row_part + 1) / g->n_row_parts;
    (void)worker;
    part.panel_begin = panel_part * g->panels_per_part;
    part.panel_end = min_size(part.panel_begin + g->panels_per_part, g->job.panel_end);
    part.x += first * part.x_stride;
    if (part.y_rows) {
        part.y_rows += first;
    } else {
        part.y += first * part.y_stride;
        if (part.residual) part.residual += first * part.y_stride;
    }
    part.n_rows = end - first;
    limn_linear(g->kernels, &part);
}

static void plan_grid(grid *g, size_t n_threads)
{
    const size_t n_panels = g->job.panel_end;
    const bool is_many = g->job.n_rows >= MANY_ROWS;
    g->n_row_parts = 1;
    g->panels_per_part = is_many ? PANELS_OF_MANY : PANELS_PER_ITEM;
    if (n_threads == 1 || (!is_many && n_panels < MIN_PANELS_TO_SPLIT))
        g->panels_per_part = n_panels;
    g->n_panel_parts = ceil_div(n_panels, g->panels_per_part);
    if (n_threads == 1 || !is_many || g->n_panel_parts >= ITEMS_PER_THREAD * n_threads) return;
    g->n_row_parts = min_size(ceil_div(ITEMS_PER_THREAD * n_threads, g->n_panel_parts),
                              g->job.n_rows / LEAST_ROWS);
}

static void share_out(const limn_runner *r, const limn_linear_job *job)
{
    grid g = { .kernels = r->kernels, .job = *job };
    if (job->panel_end == 0) return;
    plan_grid(&g, limn_pool_n_threads(r->pool));
    limn_pool_run(r->pool, g.n_row_parts * g.n_panel_parts, run_part, &g);
}

/* ---- widening ------------------------------------------------------------------------------ */

typedef struct widening {
    const limn_kernels *kernels;
    const limn_packed *from;
    float *to;
    size_t first; /* panel */
} widening;

static void widen_panel(void *ctx, size_t item, size_t worker)
{
    const widening *w = ctx;
    const size_t n = w->from->n_inputs * LIMN_PANEL;
    (void)worker;
    w->kernels->widen(w->to + item * n, (const uint16_t *)w->from->panels + (w->first + item) * n,
                      n);
}

/* Widens panels from `first` on, as many as fit; returns how many. */
static size_t widen(const limn_runner *r, limn_packed *out, const limn_packed *w, size_t first)
{
    const size_t n_fit = r->n_widened / (w->n_inputs * LIMN_PANEL);
    const size_t n = min_size(limn_n_panels(w->n_outputs) - first, n_fit);
    widening job = { r->kernels, w, r->widened, first };
    limn_pool_run(r->pool, n, widen_panel, &job);
    *out = limn_packed_over(r->widened, min_size(w->n_outputs - first * LIMN_PANEL, n * LIMN_PANEL),
                            w->n_inputs);
    out->bias = w->bias ? w->bias + first * LIMN_PANEL : NULL;
    return n;
}

/* All threads widen as many panels as there is room for, then multiply. */
static void multiply_together(const limn_runner *r, limn_linear_job job)
{
    const limn_packed *w = job.w;
    limn_packed part;
    for (size_t first = 0, n; first < limn_n_panels(w->n_outputs); first += n) {
        n = widen(r, &part, w, first);
        job.w = &part;
        job.panel_end = n;
        share_out(r, &job);
        job.y += n * LIMN_PANEL;
        if (job.residual) job.residual += n * LIMN_PANEL;
    }
}

/* A job of which each thread widens and multiplies a few panels at a time, in its own part of the
 * room: it need not wait for the others, and finds what it has widened in its own cache. */
typedef struct apart {
    const limn_runner *runner;
    const limn_linear_job *job;
    size_t panels_per_item;
} apart;

static void widen_and_multiply(void *ctx, size_t item, size_t worker)
{
    const apart *a = ctx;
    const limn_packed *w = a->job->w;
    const size_t first = item * a->panels_per_item, at = first * LIMN_PANEL;
    const size_t n = min_size(a->panels_per_item, limn_n_panels(w->n_outputs) - first);
    const size_t panel = w->n_inputs * LIMN_PANEL;
    float *room = a->runner->widened + worker * a->panels_per_item * panel;
    limn_packed part =
        limn_packed_over(room, min_size(w->n_outputs - at, n * LIMN_PANEL), w->n_inputs);
    limn_linear_job job = *a->job;
    part.bias = w->bias ? w->bias + at : NULL;
    a->runner->kernels->widen(room, (const uint16_t *)w->panels + first * panel, n * panel);
    job.w = &part;
    job.panel_end = n;
    job.y += at;
    if (job.residual) job.residual += at;
    limn_linear(a->runner->kernels, &job);
}

static void multiply_widened(const limn_runner *r, const limn_linear_job *job)
{
    const limn_packed *w = job->w;
    const size_t n_threads = limn_pool_n_threads(r->pool), n_panels = limn_n_panels(w->n_outputs);
    const size_t n_fit = r->n_widened / (w->n_inputs * LIMN_PANEL * n_threads);
    apart a = { r, job, min_size(min_size(n_fit, PANELS_OF_MANY), ceil_div(n_panels, n_threads)) };
    if (a.panels_per_item == 0)
        multiply_together(r, *job);
    else
        limn_pool_run(r->pool, ceil_div(n_panels, a.panels_per_item), widen_and_multiply, &a);
}

size_t limn_widened_floats(size_t n_outputs, size_t n_inputs)
{
    const size_t n = limn_packed_floats(n_outputs, n_inputs), panel = n_inputs * LIMN_PANEL;
    return n <= WIDENED_BUDGET ? n : panel * (WIDENED_BUDGET / panel + 1);
}

/* ---- both ---------------------------------------------------------------------------------- */

void limn_product(const limn_runner *r, limn_linear_job job)
{
    const limn_packed *w = job.w;
    job.panel_begin = 0;
    job.panel_end = limn_n_panels(w->n_outputs);
    if (w->dtype == LIMN_F16 && job.n_rows >= MANY_ROWS && r->widened &&
        r->n_widened >= w->n_inputs * LIMN_PANEL)
        multiply_widened(r, &job);
    else
        share_out(r, &job);
}

limn_linear_job limn_dense_job(float *y, const float *x, size_t n_rows, const limn_packed *w)
{
    return (limn_linear_job){ .y = y,
                              .x = x,
                              .n_rows = n_rows,
                              .x_stride = w->n_inputs,
                              .y_stride = w->n_outputs,
                              .w = w,
                              .block = w->n_inputs < LIMN_LONG_SUM ? 0 : LIMN_SUM_BLOCK };
}

/* ---- norms --------------------------------------------------------------------------------- */

typedef struct norm_job {
    limn_layer_norm_fn *run;
    float *y;
    const float *x, *gamma, *beta;
    float eps;
    size_t n_rows, dim;
} norm_job;

static void norm_part(void *ctx, size_t item, size_t worker)
{
    const norm_job *j = ctx;
    const size_t first = item * ROWS_TO_NORM, at = first * j->dim;
    (void)worker;
    j->run(j->y + at, j->x + at, j->gamma, j->beta, j->eps,
           min_size(ROWS_TO_NORM, j->n_rows - first), j->dim);
}

void limn_norm_rows(const limn_runner *r, float *y, const float *x, const float *gamma,
                    const float *beta, float eps, size_t n_rows, size_t dim)
{
    norm_job job = { r->kernels->layer_norm, y, x, gamma, beta, eps, n_rows, dim };
    limn_pool_run(r->pool, ceil_div(n_rows, ROWS_TO_NORM), norm_part, &job);
}

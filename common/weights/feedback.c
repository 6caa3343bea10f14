#include "common/weights/feedback.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* ---- second moments ------------------------------------------------------------------------ */

enum { SUMS_PER_ITEM = 16 }; /* rows of sums that a thread takes at a time */

limn_status limn_moments_init(limn_moments *m, size_t n, limn_error *err)
{
    const bool fits = n == 0 || n <= SIZE_MAX / n;
    *m = (limn_moments){ .n = n };
    if (fits) m->sums = limn_calloc(n * n, sizeof *m->sums);
    if (m->sums) m->rows = limn_calloc(LIMN_MOMENTS_ROWS * n, sizeof *m->rows);
    if (m->rows) return LIMN_OK;
    limn_moments_finish(m);
    return limn_fail(err, LIMN_E_NOMEM, "no memory for the moments of %zu inputs", n);
}

void limn_moments_finish(limn_moments *m)
{
    limn_free(m->sums);
    limn_free(m->rows);
    *m = (limn_moments){ 0 };
}

typedef struct addition {
    const limn_moments *m;
    size_t n_rows;
} addition;

static void add_part(void *ctx, size_t item, size_t worker)
{
    const addition *a = ctx;
    const size_t n = a->m->n, first = item * SUMS_PER_ITEM;
    const size_t end = n - first < SUMS_PER_ITEM ? n : first + SUMS_PER_ITEM;
    (void)worker;
    for (size_t i = first; i < end; i++) {
        double *sums = a->m->sums + i * n;
        const double *x = a->m->rows;
        for (size_t r = 0; r < a->n_rows; r++, x += n)
            for (size_t j = 0; j <= i; j++) sums[j] += x[i] * x[j];
    }
}

void limn_moments_add(limn_moments *m, limn_pool *pool, const float *x, size_t stride,
                      size_t n_rows)
{
    const size_t step = (n_rows + LIMN_MOMENTS_ROWS - 1) / LIMN_MOMENTS_ROWS;
    addition a = { m, 0 };
    for (size_t r = 0; r < n_rows; r += step) {
        double *row = m->rows + a.n_rows++ * m->n;
        for (size_t k = 0; k < m->n; k++) row[k] = (double)x[r * stride + k];
    }
    limn_pool_run(pool, (m->n + SUMS_PER_ITEM - 1) / SUMS_PER_ITEM, add_part, &a);
}

/* ---- the factor ---------------------------------------------------------------------------- */

/* An input and its moment. */
typedef struct ranked_input {
    size_t input;
    double moment;
} ranked_input;

static int compare_inputs(const void *a, const void *b)
{
    const ranked_input *x = a, *y = b;
    if (x->moment != y->moment) return x->moment < y->moment ? -1 : 1;
    return x->input < y->input ? -1 : x->input > y->input;
}

static void order_inputs(limn_feedback *f, const limn_moments *m, ranked_input *ranked)
{
    for (size_t k = 0; k < m->n; k++) ranked[k] = (ranked_input){ k, m->sums[k * m->n + k] };
    qsort(ranked, m->n, sizeof *ranked, compare_inputs);
    for (size_t k = 0; k < m->n; k++) f->order[k] = ranked[k].input;
}

static double mean_moment(const limn_moments *m)
{
    double sum = 0.0;
    for (size_t k = 0; k < m->n; k++) sum += m->sums[k * m->n + k];
    return sum / (double)m->n;
}

/* The upper triangle of the damped moments, in order. */
static void fill_factor(limn_feedback *f, const limn_moments *m)
{
    const size_t n = f->n;
    for (size_t k = 0; k < n; k++)
        for (size_t i = k; i < n; i++) {
            const size_t a = f->order[k], b = f->order[i];
            const double sum = a > b ? m->sums[a * n + b] : m->sums[b * n + a];
            f->factor[k * n + i] = sum + (i == k ? f->damping : 0.0);
        }
}

/* Cholesky's decomposition in place, row by row. */
static limn_status factorise(const limn_feedback *f, limn_error *err)
{
    double *u = f->factor;
    const size_t n = f->n;
    for (size_t k = 0; k < n; k++) {
        if (limn_feedback_is_stopping(f)) return limn_fail(err, LIMN_E_INTERRUPTED, "interrupted");
        double *row = u + k * n;
        for (size_t r = 0; r < k; r++) {
            const double *above = u + r * n, by = above[k];
            for (size_t i = k; i < n; i++) row[i] -= by * above[i];
        }
        const double pivot = sqrt(row[k]);
        if (!(pivot > 0.0) || !isfinite(pivot))
            return limn_fail(err, LIMN_E_FORMAT, "the moments of its inputs are out of range");
        for (size_t i = k; i < n; i++) row[i] /= pivot;
    }
    return LIMN_OK;
}

static limn_status make_factor(limn_feedback *f, const limn_moments *m, double share,
                               limn_error *err)
{
    const double mean = mean_moment(m);
    if (!isfinite(mean)) return limn_fail(err, LIMN_E_FORMAT, "its inputs are not finite");
    ranked_input *ranked = limn_alloc(m->n, sizeof *ranked);
    if (!ranked) return limn_fail(err, LIMN_E_NOMEM, "no memory for %zu inputs", m->n);
    order_inputs(f, m, ranked);
    limn_free(ranked);
    f->damping = mean > 0.0 ? share * mean : 1.0;
    fill_factor(f, m);
    return factorise(f, err);
}

limn_status limn_feedback_init(limn_feedback *f, const limn_moments *m, double share,
                               const atomic_bool *is_stopping, limn_error *err)
{
    limn_status status;
    *f = (limn_feedback){ .n = m->n, .is_stopping = is_stopping };
    f->order = limn_alloc(m->n, sizeof *f->order);
    f->factor = limn_alloc(m->n * m->n, sizeof *f->factor);
    f->errors = limn_alloc(m->n, sizeof *f->errors);
    if (f->order && f->factor && f->errors)
        status = make_factor(f, m, share, err);
    else
        status = limn_fail(err, LIMN_E_NOMEM, "no memory for the moments of %zu inputs", m->n);
    if (status != LIMN_OK) limn_feedback_finish(f);
    return status;
}

bool limn_feedback_is_stopping(const limn_feedback *f)
{
    return f->is_stopping && atomic_load(f->is_stopping);
}

void limn_feedback_finish(limn_feedback *f)
{
    limn_free(f->order);
    limn_free(f->factor);
    limn_free(f->errors);
    *f = (limn_feedback){ 0 };
}

/* ---- rounding ------------------------------------------------------------------------------ */

double limn_feedback_round(const limn_feedback *f, int8_t *q, const float *w, float scale)
{
    double lost = 0.0;
    if (!(scale > 0.0f)) { /* all weights are 0 */
        memset(q, 0, f->n);
        return lost;
    }
    for (size_t k = f->n; k-- > 0;) {
        const double *u = f->factor + k * f->n, weight = (double)w[f->order[k]];
        double sum = 0.0;
        for (size_t i = k + 1; i < f->n; i++) sum += u[i] * f->errors[i];
        const double rounded = nearbyint((weight + sum / u[k]) / (double)scale);
        const double kept = rounded > 127.0 ? 127.0 : rounded < -127.0 ? -127.0 : rounded;
        q[f->order[k]] = (int8_t)kept;
        f->errors[k] = weight - kept * (double)scale;
        const double term = u[k] * f->errors[k] + sum;
        lost += term * term - f->damping * f->errors[k] * f->errors[k];
    }
    return lost;
}

double limn_feedback_size(const limn_feedback *f, const float *w)
{
    double size = 0.0;
    for (size_t k = 0; k < f->n; k++) {
        const double *u = f->factor + k * f->n, weight = (double)w[f->order[k]];
        double term = 0.0;
        for (size_t i = k; i < f->n; i++) term += u[i] * (double)w[f->order[i]];
        size += term * term - f->damping * weight * weight;
    }
    return size;
}

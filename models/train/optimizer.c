#include "models/train/optimizer.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/rows_grad.h"

limn_status limn_optimizer_init(limn_optimizer *o, const limn_optimizer_kind *kind,
                                const limn_params *params, limn_error *err)
{
    *o = (limn_optimizer){ .kind = kind,
                           .average = limn_alloc_aligned(params->n_floats, sizeof(float)) };
    bool has_all = o->average != NULL;
    for (size_t i = 0; i < kind->n_states; i++) {
        o->states[i] = limn_alloc_aligned(params->n_floats, sizeof(float));
        has_all = has_all && o->states[i];
    }
    if (!has_all) {
        limn_optimizer_finish(o);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for an optimizer of %zu parameters",
                         params->n_floats);
    }
    limn_optimizer_restart(o, params);
    return LIMN_OK;
}

void limn_optimizer_restart(limn_optimizer *o, const limn_params *params)
{
    const size_t size = params->n_floats * sizeof(float);
    for (size_t i = 0; i < o->kind->n_states; i++) memset(o->states[i], 0, size);
    memcpy(o->average, params->values, size);
    o->n_steps = 0;
}

void limn_optimizer_finish(limn_optimizer *o)
{
    for (size_t i = 0; i < LIMN_OPTIMIZER_MAX_STATES; i++) limn_free(o->states[i]);
    limn_free(o->average);
    *o = (limn_optimizer){ 0 };
}

void limn_optimizer_step(limn_optimizer *o, limn_params *params, const limn_optimizer_settings *s,
                         float learning_rate, double norm, limn_pool *pool)
{
    o->n_steps++;
    o->kind->step(o, params, s, learning_rate, norm, pool);
}

/* ---- the norm ------------------------------------------------------------------------------ */

/* One item is one parameter, whose squares are summed in order; the sums are added in order. */
enum { MAX_ITEMS = 4096 };

struct norm_job {
    const limn_rows_grad *rows;
    const limn_params *params;
    size_t first;
    double squares[MAX_ITEMS];
};

static void sum_squares(void *ctx, size_t item, size_t worker)
{
    struct norm_job *j = ctx;
    const limn_param *p = &j->params->items[j->first + item];
    (void)worker;
    j->squares[item] = j->rows->squares(j->params->gradients + p->offset, p->n);
}

double limn_gradient_norm(const limn_params *params, limn_pool *pool)
{
    struct norm_job job = { .rows = limn_rows_grad_choose(limn_cpu_best()), .params = params };
    double sum = 0;
    for (; job.first < params->n_items; job.first += MAX_ITEMS) {
        const size_t left = params->n_items - job.first, n = left < MAX_ITEMS ? left : MAX_ITEMS;
        limn_pool_run(pool, n, sum_squares, &job);
        for (size_t i = 0; i < n; i++) sum += job.squares[i];
    }
    return sqrt(sum);
}

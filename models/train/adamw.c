#include "models/train/adamw.h"

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/kernels/rows_grad.h"

limn_adamw_settings limn_adamw_settings_default(void)
{
    return (limn_adamw_settings){ .beta1 = 0.9f,
                                  .beta2 = 0.999f,
                                  .epsilon = 1e-8f,
                                  .weight_decay = 0.01f,
                                  .clip_norm = 1.0f,
                                  .average_decay = 0.999f };
}

limn_status limn_adamw_init(limn_adamw *a, const limn_params *params, limn_error *err)
{
    const size_t size = params->n_floats * sizeof(float);
    *a = (limn_adamw){ .m = limn_alloc_aligned(size, 1),
                       .v = limn_alloc_aligned(size, 1),
                       .average = limn_alloc_aligned(size, 1) };
    if (!a->m || !a->v || !a->average) {
        limn_adamw_finish(a);
        return limn_fail(err, LIMN_E_NOMEM, "no memory for the moments of %zu parameters",
                         params->n_floats);
    }
    memset(a->m, 0, size);
    memset(a->v, 0, size);
    memcpy(a->average, params->values, size);
    return LIMN_OK;
}

void limn_adamw_finish(limn_adamw *a)
{
    limn_free(a->m);
    limn_free(a->v);
    limn_free(a->average);
    *a = (limn_adamw){ 0 };
}

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

struct step_job {
    const limn_rows_grad *rows;
    limn_adamw *a;
    limn_params *params;
    float learning_rate, weight_decay, correction1; /* correction1: 1 - beta1^step */
    limn_adamw_rates rates;                         /* but those that a parameter changes */
};

static void step_param(void *ctx, size_t item, size_t worker)
{
    const struct step_job *j = ctx;
    const limn_param *p = &j->params->items[item];
    const float rate = j->learning_rate * p->rate;
    limn_adamw_rates rates = j->rates;
    rates.keep = p->decays ? 1.0f - rate * j->weight_decay : 1.0f;
    rates.size = rate / j->correction1;
    (void)worker;
    j->rows->adamw(j->params->values + p->offset, j->a->m + p->offset, j->a->v + p->offset,
                   j->a->average + p->offset, j->params->gradients + p->offset, p->n, &rates);
}

void limn_adamw_step(limn_adamw *a, limn_params *params, const limn_adamw_settings *s,
                     float learning_rate, double norm, limn_pool *pool)
{
    const double step = (double)++a->n_steps;
    const double young = (1.0 + step) / (10.0 + step);
    struct step_job job = {
        .rows = limn_rows_grad_choose(limn_cpu_best()),
        .a = a,
        .params = params,
        .learning_rate = learning_rate,
        .weight_decay = s->weight_decay,
        .correction1 = (float)(1.0 - pow(s->beta1, step)),
        .rates = { .beta1 = s->beta1,
                   .beta2 = s->beta2,
                   .epsilon = s->epsilon,
                   .clip = 1.0f,
                   .root = (float)sqrt(1.0 - pow(s->beta2, step)),
                   .average_decay = young < s->average_decay ? (float)young : s->average_decay },
    };
    if (s->clip_norm > 0 && norm > s->clip_norm)
        job.rates.clip = (float)(s->clip_norm / (norm + 1e-6));
    limn_pool_run(pool, params->n_items, step_param, &job);
}

#include "models/train/adamw.h"

#include <math.h>

#include "common/kernels/rows_grad.h"

enum { M = 0, V, N_MOMENTS };

struct step_job {
    const limn_rows_grad *rows;
    const limn_optimizer *o;
    limn_params *params;
    float learning_rate, weight_decay, correction1; /* correction1: 1 - beta1^step */
    limn_adamw_rates rates;                         /* except those that vary by parameter */
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
    j->rows->adamw(j->params->values + p->offset, j->o->states[M] + p->offset,
                   j->o->states[V] + p->offset, j->o->average + p->offset,
                   j->params->gradients + p->offset, p->n, &rates);
}

static void take_step(const limn_optimizer *o, limn_params *params,
                      const limn_optimizer_settings *s, float learning_rate, double norm,
                      limn_pool *pool)
{
    const double step = (double)o->n_steps;
    const double young = (1.0 + step) / (10.0 + step);
    struct step_job job = {
        .rows = limn_rows_grad_choose(limn_cpu_best()),
        .o = o,
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

const limn_optimizer_kind limn_adamw = {
    .name = "adamw", .n_states = N_MOMENTS, .state_names = { "m", "v" }, .step = take_step
};

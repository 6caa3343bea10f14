#include "models/train/learning_rate.h"

#include <math.h>

enum { N_WARMUP_SHARES = 20 };

limn_learning_rate limn_learning_rate_plan(float peak, uint64_t n_steps)
{
    return (limn_learning_rate){ .peak = peak,
                                 .final_share = 0.02f,
                                 .n_steps = n_steps,
                                 .n_warmup_steps = n_steps / N_WARMUP_SHARES };
}

float limn_learning_rate_at(const limn_learning_rate *s, uint64_t step)
{
    if (step < s->n_warmup_steps) return s->peak * (float)(step + 1) / (float)s->n_warmup_steps;
    const uint64_t left = s->n_steps > s->n_warmup_steps ? s->n_steps - s->n_warmup_steps : 1;
    const uint64_t done = step - s->n_warmup_steps < left ? step - s->n_warmup_steps : left;
    const double cosine = 0.5 * (1.0 + cos(3.14159265358979323846 * (double)done / (double)left));
    return s->peak * (float)(s->final_share + (1.0 - s->final_share) * cosine);
}

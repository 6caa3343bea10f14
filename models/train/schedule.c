#include "models/train/schedule.h"

#include <math.h>

float limn_schedule_rate(const limn_schedule *s, uint64_t step)
{
    if (step < s->n_warmup_steps) return s->peak * (float)(step + 1) / (float)s->n_warmup_steps;
    const uint64_t left = s->n_steps > s->n_warmup_steps ? s->n_steps - s->n_warmup_steps : 1;
    const uint64_t done = step - s->n_warmup_steps < left ? step - s->n_warmup_steps : left;
    const double cosine = 0.5 * (1.0 + cos(3.14159265358979323846 * (double)done / (double)left));
    return s->peak * (float)(s->final_share + (1.0 - s->final_share) * cosine);
}

/* Learning rate over a run: linear warm-up, then a half cosine down to a share of the peak
 * (Loshchilov & Hutter 2017, without restarts). */
#ifndef LIMN_MODELS_TRAIN_SCHEDULE_H
#define LIMN_MODELS_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef struct limn_schedule {
    float peak;        /* learning rate after the warm-up */
    float final_share; /* of the peak at the last step, 0 … 1 */
    uint64_t n_warmup_steps, n_steps;
} limn_schedule;

/* The rate of step 0 … n_steps-1; past the end, that of the last step. */
float limn_schedule_rate(const limn_schedule *s, uint64_t step);

#endif

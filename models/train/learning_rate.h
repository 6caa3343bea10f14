/* Learning rate over a run: linear warm-up, then a half cosine down to a share of the peak
 * (Loshchilov & Hutter 2017, without restarts). The peak of each stage is in models/train/stage.c
 * (--rate); what a parameter group has relative to it, in its limn_params (--encoder-rate). */
#ifndef LIMN_MODELS_TRAIN_LEARNING_RATE_H
#define LIMN_MODELS_TRAIN_LEARNING_RATE_H

#include <stdint.h>

typedef struct limn_learning_rate {
    float peak;        /* learning rate after the warm-up */
    float final_share; /* of the peak at the last step, 0 … 1 */
    uint64_t n_warmup_steps, n_steps;
} limn_learning_rate;

/* The schedule of a stage: warm-up over a twentieth of the steps, then down to 2 % of the peak. */
limn_learning_rate limn_learning_rate_plan(float peak, uint64_t n_steps);

/* The rate of step 0 … n_steps-1; past the end, that of the last step. */
float limn_learning_rate_at(const limn_learning_rate *s, uint64_t step);

#endif
